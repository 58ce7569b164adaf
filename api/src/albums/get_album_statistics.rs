//! `GET /albums/statistics`.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// How many albums the caller has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlbumStatisticsResponseDto {
    owned: i64,
    shared: i64,
    not_shared: i64,
}

/// Counts the albums of the caller.
#[utoipa::path(
    get, path = "/albums/statistics", tag = "Albums", operation_id = "getAlbumStatistics",
    responses((status = 200, body = AlbumStatisticsResponseDto))
)]
pub(crate) async fn get_album_statistics(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<AlbumStatisticsResponseDto>, Problem> {
    caller.require(Permission::AlbumStatistics)?;
    let counts = api.queries.album_counts(caller.user_id().uuid()).await?;
    Ok(Json(AlbumStatisticsResponseDto {
        owned: counts.owned,
        shared: counts.shared,
        not_shared: counts.not_shared,
    }))
}
