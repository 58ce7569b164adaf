//! `POST /search/large-assets`: the largest files first.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::search::{Compare, Condition, Direction, NumberColumn, OrderColumn};

use super::filters::{self, SAFE_INTEGER_MAX};
use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The largest files that fit, the largest first.
#[utoipa::path(
    post, path = "/search/large-assets", tag = "Search", operation_id = "searchLargeAssets",
    params(
        ("minFileSize" = Option<i64>, Query), ("size" = Option<i64>, Query),
        ("albumIds" = Option<Vec<uuid::Uuid>>, Query), ("city" = Option<String>, Query),
        ("country" = Option<String>, Query), ("createdAfter" = Option<String>, Query),
        ("createdBefore" = Option<String>, Query), ("isEncoded" = Option<bool>, Query),
        ("isFavorite" = Option<bool>, Query), ("isMotion" = Option<bool>, Query),
        ("isNotInAlbum" = Option<bool>, Query), ("isOffline" = Option<bool>, Query),
        ("lensModel" = Option<String>, Query), ("libraryId" = Option<uuid::Uuid>, Query),
        ("make" = Option<String>, Query), ("model" = Option<String>, Query),
        ("ocr" = Option<String>, Query), ("personIds" = Option<Vec<uuid::Uuid>>, Query),
        ("rating" = Option<i32>, Query), ("state" = Option<String>, Query),
        ("tagIds" = Option<Vec<uuid::Uuid>>, Query), ("takenAfter" = Option<String>, Query),
        ("takenBefore" = Option<String>, Query), ("trashedAfter" = Option<String>, Query),
        ("trashedBefore" = Option<String>, Query), ("type" = Option<String>, Query),
        ("updatedAfter" = Option<String>, Query), ("updatedBefore" = Option<String>, Query),
        ("visibility" = Option<String>, Query), ("withDeleted" = Option<bool>, Query),
        ("withExif" = Option<bool>, Query)
    ),
    responses((status = 200, body = Vec<AssetResponseDto>))
)]
pub(super) async fn search_large_assets(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<AssetResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let mut fields = Fields::query(query.as_deref());
    let size_min = fields.integer("minFileSize", 0, SAFE_INTEGER_MAX);
    let mut search = filters::read(&api, fields, &caller).await?.search;
    search.order = OrderColumn::SizeBytes;
    search.direction = Direction::Descending;
    let at_least = |bytes| Condition::Number(NumberColumn::SizeBytes, Compare::AtLeast(bytes));
    search.conditions.extend(size_min.map(at_least));
    let found = api.queries.search(&search).await?;
    let listed = |row| AssetResponseDto::found(row, search.viewer_id, true);
    Ok(Json(found.assets.into_iter().map(listed).collect()))
}
