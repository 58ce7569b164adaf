//! `GET /search/cities`: a picture of each city.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;

use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::timeline_owners;
use crate::state::Api;

/// Cities in one answer; those with the most pictures.
const CITIES_MAX: i64 = 5_000;

/// The newest picture of each city, by the city's name.
#[utoipa::path(
    get, path = "/search/cities", tag = "Search", operation_id = "getAssetsByCity",
    responses((status = 200, body = Vec<AssetResponseDto>))
)]
pub(super) async fn get_assets_by_city(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<AssetResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let owners = timeline_owners(&api, &caller).await?;
    let assets = api.queries.pictures_of_cities(&owners, 1, CITIES_MAX).await?;
    let viewer_id = caller.user_id().uuid();
    let listed = |row| AssetResponseDto::found(row, viewer_id, true);
    Ok(Json(assets.into_iter().map(listed).collect()))
}
