//! `GET /queues/{name}/jobs`: what was asked for, and which assets wait or failed.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::asset::Stage;
use calotype_domain::permission::Permission;
use calotype_domain::queue::{DUPLICATES, RECOGNITION, SIDECAR, STORAGE_TEMPLATE, stage_of};
use calotype_projections::jobs::{Job, StageState};
use calotype_projections::queue_requests::QueueRequest;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::dto::known;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::not_an_option;

/// Jobs listed of each state.
const LISTED_MAX: i64 = 1_000;
const STATES: [&str; 6] = ["active", "failed", "completed", "delayed", "waiting", "paused"];

/// Which jobs.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueueJobSearchDto {
    /// In any of these states; in all when there is none.
    status: Option<Vec<String>>,
}

/// One job.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueueJobResponseDto {
    id: String,
    #[schema(value_type = String)]
    name: &'static str,
    /// Since when, in milliseconds since 1970.
    timestamp: i64,
    #[schema(value_type = Object)]
    data: Value,
}

/// Lists what people asked of a queue, what waits in it and what failed, each longest waiting first.
/// What is being worked on is listed as waiting.
#[utoipa::path(
    get,
    path = "/queues/{name}/jobs",
    operation_id = "getQueueJobs",
    tag = "Queues",
    params(("name" = String, Path), QueueJobSearchDto),
    responses((status = 200, body = Vec<QueueJobResponseDto>)),
)]
pub(super) async fn get_queue_jobs(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<QueueJobResponseDto>>, Problem> {
    caller.require_admin(Permission::QueueJobRead)?;
    let name = known(&name)?;
    let dto = QueueJobSearchDto { status: states(query.as_deref())? };
    let is_paused = api.queries.paused_queues().await?.iter().any(|paused| paused == name);
    let wants =
        |state: &str| dto.status.as_ref().is_none_or(|all| all.iter().any(|it| it == state));
    let now = api.commands.clock().now();
    let is_open = wants(if is_paused { "paused" } else { "waiting" }) || wants("active");
    let mut listed = Vec::new();
    if is_open {
        let open = api.queries.queue_requests().await?;
        listed.extend(open.iter().filter(|request| request.queue == name).map(requested));
    }
    let Some(stage) = stage_of(name) else { return Ok(Json(listed)) };
    let mut jobs = Vec::new();
    if is_open {
        jobs.extend(api.queries.jobs(stage.as_str(), StageState::Waiting, now, LISTED_MAX).await?);
    }
    if wants("failed") {
        jobs.extend(api.queries.jobs(stage.as_str(), StageState::Failed, now, LISTED_MAX).await?);
    }
    listed.extend(jobs.iter().map(|job| response(&api, stage, job)));
    Ok(Json(listed))
}

/// A job or a re-run that somebody asked for, under Immich's name for it.
fn requested(request: &QueueRequest) -> QueueJobResponseDto {
    let name = match (request.queue.as_str(), request.what.as_str()) {
        (_, "memory_cleanup") => "MemoryCleanup",
        (_, "memory_create") => "MemoryGenerate",
        (_, "person_cleanup") => "PersonCleanup",
        (_, "tag_cleanup") => "TagCleanup",
        (_, "user_cleanup") => "UserDeleteCheck",
        ("metadataExtraction", _) => "AssetExtractMetadataQueueAll",
        ("videoConversion", _) => "AssetEncodeVideoQueueAll",
        (DUPLICATES, _) => "AssetDetectDuplicatesQueueAll",
        ("smartSearch", _) => "SmartSearchQueueAll",
        ("ocr", _) => "OcrQueueAll",
        ("faceDetection", _) => "AssetDetectFacesQueueAll",
        (RECOGNITION, _) => "FacialRecognitionQueueAll",
        (SIDECAR, _) => "SidecarQueueAll",
        (STORAGE_TEMPLATE, _) => "StorageTemplateMigration",
        _ => "AssetGenerateThumbnailsQueueAll",
    };
    let data = if request.what == "all" { json!({ "force": true }) } else { json!({}) };
    QueueJobResponseDto {
        id: request.request_id.to_string(),
        name,
        timestamp: request.asked_at.timestamp_millis(),
        data,
    }
}

fn response(api: &Api, stage: Stage, job: &Job) -> QueueJobResponseDto {
    let name = match stage {
        Stage::Metadata => "AssetExtractMetadata",
        Stage::Thumbnails => "AssetGenerateThumbnails",
        Stage::Edits => "AssetEditThumbnailGeneration",
        Stage::Video => "AssetEncodeVideo",
        Stage::Embedding => "SmartSearch",
        Stage::Text => "Ocr",
        Stage::Faces => "AssetDetectFaces",
    };
    let mut data = json!({ "id": job.asset_id });
    if stage == Stage::Video
        && let Some(percent) = api.in_flight.progress_of(job.asset_id)
    {
        data["progress"] = percent.into();
    }
    QueueJobResponseDto {
        id: format!("{}-{}", stage.as_str(), job.asset_id),
        name,
        timestamp: job.waiting_since.timestamp_millis(),
        data,
    }
}

/// The states of a query, given once or several times.
fn states(query: Option<&str>) -> Result<Option<Vec<String>>, Problem> {
    let given: Vec<String> = query
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| *name == "status" || *name == "status[]" || *name == "status%5B%5D")
        .map(|(_, value)| value.to_owned())
        .collect();
    if let Some(unknown) = given.iter().position(|state| !STATES.contains(&state.as_str())) {
        let place = unknown.to_string();
        return Err(Problem::validation(vec![not_an_option(&STATES, &["status", &place])]));
    }
    Ok((!given.is_empty()).then_some(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_may_be_given_several_times() {
        assert_eq!(
            states(Some("status=failed&status=waiting")).unwrap(),
            Some(vec!["failed".into(), "waiting".into()])
        );
        assert_eq!(states(Some("x=1")).unwrap(), None);
        assert!(states(Some("status=gone")).is_err());
    }
}
