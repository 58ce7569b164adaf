//! `GET /search/explore`: cities with many pictures, and what was uploaded last.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// Pictures that a city needs to be shown.
const IMAGES_MIN: i64 = 5;
/// Assets of each kind.
const ITEMS_MAX: i64 = 12;

/// What there is to explore by one field.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchExploreResponseDto {
    field_name: &'static str,
    items: Vec<SearchExploreItem>,
}

/// An asset, and the value of the field that it stands for.
#[derive(Serialize, ToSchema)]
pub(super) struct SearchExploreItem {
    value: String,
    data: AssetResponseDto,
}

/// Cities with many pictures, and what was uploaded last.
#[utoipa::path(
    get, path = "/search/explore", tag = "Search", operation_id = "getExploreData",
    responses((status = 200, body = Vec<SearchExploreResponseDto>))
)]
pub(super) async fn get_explore_data(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<SearchExploreResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let owner_id = caller.user_id().uuid();
    let (cities, recent) = tokio::try_join!(
        api.queries.pictures_of_cities(std::slice::from_ref(&owner_id), IMAGES_MIN, ITEMS_MAX),
        api.queries.recently_uploaded(owner_id, ITEMS_MAX),
    )?;
    let cities = cities
        .into_iter()
        .map(|row| SearchExploreItem {
            value: row.city.clone().unwrap_or_default(),
            data: AssetResponseDto::explored(row),
        })
        .collect();
    let recent = recent
        .into_iter()
        .map(|row| SearchExploreItem {
            value: dates::iso(row.created_at),
            data: AssetResponseDto::explored(row),
        })
        .collect();
    Ok(Json(vec![
        SearchExploreResponseDto { field_name: "exifInfo.city", items: cities },
        SearchExploreResponseDto { field_name: "createdAt", items: recent },
    ]))
}
