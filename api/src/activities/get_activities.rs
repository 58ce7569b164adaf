//! `GET /activities` and `GET /activities/statistics`.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::activities::ActivityFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::ActivityResponseDto;
use crate::access::require_album;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// How many comments and likes there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivityStatisticsResponseDto {
    comments: i64,
    likes: i64,
}

/// Lists the comments and likes of an album, oldest first.
#[utoipa::path(
    get, path = "/activities", tag = "Activities", operation_id = "getActivities",
    params(
        ("albumId" = Uuid, Query), ("assetId" = Option<Uuid>, Query),
        ("level" = Option<String>, Query), ("type" = Option<String>, Query),
        ("userId" = Option<Uuid>, Query)
    ),
    responses((status = 200, body = Vec<ActivityResponseDto>))
)]
pub(super) async fn get_activities(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ActivityResponseDto>>, Problem> {
    caller.require(Permission::ActivityRead)?;
    let mut fields = Fields::query(query.as_deref());
    let album_id = fields.required_uuid("albumId");
    let asset_id = fields.uuid("assetId");
    let level = fields.option("level", &["album", "asset"]);
    let kind = fields.option("type", &["comment", "like"]);
    let user_id = fields.uuid("userId");
    fields.finish()?;
    require_album(&api, &caller, Permission::AlbumRead, album_id).await?;
    let is_about_album = level.as_deref() == Some("album");
    let filter = ActivityFilter {
        album_id,
        asset_id: asset_id.filter(|_| !is_about_album),
        is_about_album,
        user_id,
        is_like: kind.map(|kind| kind == "like"),
    };
    let rows = api.queries.activities(&filter).await?;
    Ok(Json(ActivityResponseDto::list(&api, rows).await?))
}

/// Counts the comments and likes of an album, or of one of its assets.
#[utoipa::path(
    get, path = "/activities/statistics", tag = "Activities",
    operation_id = "getActivityStatistics",
    params(("albumId" = Uuid, Query), ("assetId" = Option<Uuid>, Query)),
    responses((status = 200, body = ActivityStatisticsResponseDto))
)]
pub(super) async fn get_activity_statistics(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<ActivityStatisticsResponseDto>, Problem> {
    caller.require(Permission::ActivityStatistics)?;
    let mut fields = Fields::query(query.as_deref());
    let album_id = fields.required_uuid("albumId");
    let asset_id = fields.uuid("assetId");
    fields.finish()?;
    require_album(&api, &caller, Permission::AlbumRead, album_id).await?;
    let (comments, likes) = api.queries.activity_counts(album_id, asset_id).await?;
    Ok(Json(ActivityStatisticsResponseDto { comments, likes }))
}
