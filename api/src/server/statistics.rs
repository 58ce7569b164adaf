//! `GET /server/statistics`: what everybody stores.

use axum::Json;
use axum::extract::State;
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What one person stores; sizes in bytes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageByUserDto {
    user_id: Uuid,
    user_name: String,
    photos: i64,
    videos: i64,
    usage: i64,
    usage_photos: i64,
    usage_videos: i64,
    #[schema(required)]
    quota_size_in_bytes: Option<i64>,
}

/// What everybody stores together; sizes in bytes.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerStatsResponseDto {
    photos: i64,
    videos: i64,
    usage: i64,
    usage_photos: i64,
    usage_videos: i64,
    usage_by_user: Vec<UsageByUserDto>,
}

/// Sums up what is stored, by person in the order in which they came.
#[utoipa::path(
    get,
    path = "/server/statistics",
    operation_id = "getServerStatistics",
    tag = "Server",
    responses((status = 200, body = ServerStatsResponseDto)),
)]
pub(super) async fn get_server_statistics(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<ServerStatsResponseDto>, Problem> {
    caller.require_admin(Permission::ServerStatistics)?;
    admin_views::note(&api, &caller, None, AdminView::Statistics).await?;
    let usage = api.queries.usage().await?;
    let mut stats = ServerStatsResponseDto::default();
    for row in api.queries.users(true).await?.into_iter().rev() {
        let used = usage.get(&row.user_id).copied().unwrap_or_default();
        stats.photos += used.photos;
        stats.videos += used.videos;
        stats.usage += used.total_bytes;
        stats.usage_photos += used.photos_bytes;
        stats.usage_videos += used.videos_bytes;
        stats.usage_by_user.push(UsageByUserDto {
            user_id: row.user_id,
            user_name: row.name,
            photos: used.photos,
            videos: used.videos,
            usage: used.total_bytes,
            usage_photos: used.photos_bytes,
            usage_videos: used.videos_bytes,
            quota_size_in_bytes: row.quota_size_bytes,
        });
    }
    Ok(Json(stats))
}
