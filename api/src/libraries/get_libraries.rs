//! `GET /libraries`, `/libraries/{id}` and `/libraries/{id}/statistics`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{LibraryResponseDto, load};
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What a library has.
#[derive(Serialize, ToSchema)]
pub(crate) struct LibraryStatsResponseDto {
    photos: i64,
    videos: i64,
    total: i64,
    usage: i64,
}

/// Lists every library.
#[utoipa::path(
    get, path = "/libraries", tag = "Libraries", operation_id = "getAllLibraries",
    responses((status = 200, body = Vec<LibraryResponseDto>))
)]
pub(super) async fn get_all_libraries(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<LibraryResponseDto>>, Problem> {
    caller.require_admin(Permission::LibraryRead)?;
    admin_views::note(&api, &caller, None, AdminView::Library).await?;
    let counts: HashMap<Uuid, i64> = api.queries.assets_of_libraries().await?.into_iter().collect();
    let rows = api.queries.libraries(false).await?;
    let shown = rows.into_iter().map(|row| {
        let count = counts.get(&row.library_id).copied().unwrap_or_default();
        LibraryResponseDto::new(row, count)
    });
    Ok(Json(shown.collect()))
}

/// One library.
#[utoipa::path(
    get, path = "/libraries/{id}", tag = "Libraries", operation_id = "getLibrary",
    params(("id" = Uuid, Path)), responses((status = 200, body = LibraryResponseDto))
)]
pub(super) async fn get_library(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<LibraryResponseDto>, Problem> {
    caller.require_admin(Permission::LibraryRead)?;
    let row = load(&api, &id).await?;
    admin_views::note(&api, &caller, Some(row.owner_id), AdminView::Library).await?;
    Ok(Json(shown(&api, row).await?))
}

/// A library with the number of its assets.
pub(super) async fn shown(
    api: &Api,
    row: calotype_projections::libraries::LibraryRow,
) -> Result<LibraryResponseDto, Problem> {
    let counts = api.queries.library_counts(row.library_id).await?;
    Ok(LibraryResponseDto::new(row, counts.photos + counts.videos))
}

/// What a library has: pictures and films, and the length of its files in bytes.
#[utoipa::path(
    get, path = "/libraries/{id}/statistics", tag = "Libraries",
    operation_id = "getLibraryStatistics",
    params(("id" = Uuid, Path)), responses((status = 200, body = LibraryStatsResponseDto))
)]
pub(super) async fn get_library_statistics(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<LibraryStatsResponseDto>, Problem> {
    caller.require_admin(Permission::LibraryStatistics)?;
    let row = load(&api, &id).await?;
    let counts = api.queries.library_counts(row.library_id).await?;
    Ok(Json(LibraryStatsResponseDto {
        photos: counts.photos,
        videos: counts.videos,
        total: counts.photos + counts.videos,
        usage: counts.usage_bytes,
    }))
}
