//! `GET /jobs`: every queue by name.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::queues::dto::{QueueResponseDto, QueueStatisticsDto, all};
use crate::state::Api;

/// Whether a queue works.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueStatusLegacyDto {
    is_paused: bool,
    is_active: bool,
}

/// One queue.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueResponseLegacyDto {
    queue_status: QueueStatusLegacyDto,
    job_counts: QueueStatisticsDto,
}

impl From<&QueueResponseDto> for QueueResponseLegacyDto {
    fn from(queue: &QueueResponseDto) -> Self {
        Self {
            queue_status: QueueStatusLegacyDto {
                is_paused: queue.is_paused,
                is_active: queue.statistics.active > 0,
            },
            job_counts: queue.statistics,
        }
    }
}

macro_rules! by_name {
    ($($field:ident = $name:literal),+ $(,)?) => {
        /// Every queue by name.
        #[derive(Debug, Default, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct QueuesResponseLegacyDto {
            $($field: QueueResponseLegacyDto),+
        }

        impl QueuesResponseLegacyDto {
            fn new(queues: &[QueueResponseDto]) -> Self {
                let mut answer = Self::default();
                for queue in queues {
                    match queue.name {
                        $($name => answer.$field = queue.into(),)+
                        _ => {}
                    }
                }
                answer
            }
        }
    };
}

by_name! {
    thumbnail_generation = "thumbnailGeneration",
    metadata_extraction = "metadataExtraction",
    video_conversion = "videoConversion",
    face_detection = "faceDetection",
    facial_recognition = "facialRecognition",
    smart_search = "smartSearch",
    duplicate_detection = "duplicateDetection",
    background_task = "backgroundTask",
    storage_template_migration = "storageTemplateMigration",
    migration = "migration",
    search = "search",
    sidecar = "sidecar",
    library = "library",
    notifications = "notifications",
    backup_database = "backupDatabase",
    ocr = "ocr",
    workflow = "workflow",
    integrity_check = "integrityCheck",
    editor = "editor",
}

/// Says how every queue stands.
#[utoipa::path(
    get,
    path = "/jobs",
    operation_id = "getQueuesLegacy",
    tag = "Jobs",
    responses((status = 200, body = QueuesResponseLegacyDto)),
)]
pub(super) async fn get_queues_legacy(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<QueuesResponseLegacyDto>, Problem> {
    caller.require_admin(Permission::JobRead)?;
    Ok(Json(QueuesResponseLegacyDto::new(&all(&api).await?)))
}

#[cfg(test)]
mod tests {
    use calotype_domain::queue::NAMES;

    use super::*;

    #[test]
    fn every_queue_has_its_place() {
        let queues = NAMES.map(|name| QueueResponseDto {
            name,
            is_paused: true,
            statistics: QueueStatisticsDto::default(),
        });
        let answer = serde_json::to_value(QueuesResponseLegacyDto::new(&queues)).unwrap();
        for name in NAMES {
            assert_eq!(answer[name]["queueStatus"]["isPaused"], true, "{name}");
        }
    }
}
