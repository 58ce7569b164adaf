//! `GET /assets/statistics`: a sum of kept counts.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::statistics::AssetCounts;
use serde::Serialize;
use utoipa::ToSchema;

use super::{VISIBILITIES, sums};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// How many assets there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetStatsResponseDto {
    images: i64,
    videos: i64,
    total: i64,
}

/// Counts the caller's assets.
#[utoipa::path(
    get, path = "/assets/statistics", tag = "Assets", operation_id = "getAssetStatistics",
    params(
        ("isFavorite" = Option<bool>, Query), ("isTrashed" = Option<bool>, Query),
        ("visibility" = Option<String>, Query)
    ),
    responses((status = 200, body = AssetStatsResponseDto))
)]
pub(crate) async fn get_asset_statistics(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<AssetStatsResponseDto>, Problem> {
    caller.require(Permission::AssetStatistics)?;
    let mut fields = Fields::query(query.as_deref());
    let is_favorite = fields.boolean("isFavorite");
    let is_trashed = fields.boolean("isTrashed").unwrap_or_default();
    let place = fields.option("visibility", VISIBILITIES);
    fields.finish()?;
    let places = match place {
        Some(place) => {
            if place == "locked" {
                caller.require_elevated()?;
            }
            vec![place]
        }
        None => vec!["timeline".to_owned(), "archive".to_owned()],
    };
    let owner_id = caller.user_id().uuid();
    let sums = sums::sums(&api, owner_id).await?;
    let counts = AssetCounts::of(&sums, &places, is_favorite, Some(is_trashed));
    Ok(Json(AssetStatsResponseDto {
        images: counts.images,
        videos: counts.videos,
        total: counts.images + counts.videos,
    }))
}
