//! `POST /search/random`: assets by chance.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use rand::seq::SliceRandom as _;

use super::dto::RandomSearchDto;
use super::filters;
use super::people::people_on_found;
use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Some of the assets that fit, by chance.
#[utoipa::path(
    post, path = "/search/random", tag = "Search", operation_id = "searchRandom",
    request_body = RandomSearchDto, responses((status = 200, body = Vec<AssetResponseDto>))
)]
pub(super) async fn search_random(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Vec<AssetResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let asked = filters::read(&api, Fields::json(&body)?, &caller).await?;
    let mut assets = api.queries.found_from(&asked.search, api.commands.ids().v4()).await?;
    assets.shuffle(&mut rand::rng());
    let mut people = people_on_found(&api, &asked, &assets).await?;
    let found = |row: AssetRow| {
        let people = people.remove(&row.asset_id).unwrap_or_default();
        AssetResponseDto::found(row, asked.search.viewer_id, asked.with_exif).with_people(people)
    };
    Ok(Json(assets.into_iter().map(found).collect()))
}
