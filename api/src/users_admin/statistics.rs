//! `GET /admin/users/{id}/statistics`: how many pictures and films a person has.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::load;
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Where assets may show, in Immich's words.
const VISIBILITIES: [&str; 4] = ["archive", "timeline", "hidden", "locked"];
/// What counts when nothing is said.
const VISIBILITIES_DEFAULT: [&str; 2] = ["archive", "timeline"];

/// Which assets to count.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct AssetStatsDto {
    visibility: Option<String>,
    is_favorite: Option<bool>,
    is_trashed: Option<bool>,
}

/// The counts.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetStatsResponseDto {
    images: i64,
    videos: i64,
    total: i64,
}

/// Counts a person's assets.
#[utoipa::path(
    get,
    path = "/admin/users/{id}/statistics",
    operation_id = "getUserStatisticsAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path), AssetStatsDto),
    responses((status = 200, body = AssetStatsResponseDto)),
)]
pub(super) async fn get_user_statistics_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<AssetStatsResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserRead)?;
    path_uuid("id", &id)?;
    let mut fields = Fields::query(query.as_deref());
    let dto = AssetStatsDto {
        visibility: fields.option("visibility", &VISIBILITIES),
        is_favorite: fields.boolean("isFavorite"),
        is_trashed: fields.boolean("isTrashed"),
    };
    fields.finish()?;
    let row = load(&api, &id).await?;
    admin_views::note(&api, &caller, Some(row.user_id), AdminView::Statistics).await?;
    let visibilities = match dto.visibility {
        Some(wish) => vec![wish],
        None => VISIBILITIES_DEFAULT.map(str::to_owned).to_vec(),
    };
    let is_trashed = Some(dto.is_trashed.unwrap_or_default());
    let counts =
        api.queries.asset_counts(row.user_id, &visibilities, dto.is_favorite, is_trashed).await?;
    Ok(Json(AssetStatsResponseDto {
        images: counts.images,
        videos: counts.videos,
        total: counts.images + counts.videos,
    }))
}
