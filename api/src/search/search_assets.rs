//! `POST /search/metadata`: assets by what is known of them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;

use super::dto::{FoundAssetDto, MetadataSearchDto, SearchResponseDto};
use super::people::people_on_found;
use super::{filters, structured};
use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Finds assets by what is known of them.
#[utoipa::path(
    post, path = "/search/metadata", tag = "Search", operation_id = "searchAssets",
    params(("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    request_body = MetadataSearchDto, responses((status = 200, body = SearchResponseDto))
)]
pub(super) async fn search_assets(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<SearchResponseDto>, Problem> {
    caller.require_shared(Permission::AssetRead)?;
    let asked = filters::read(&api, Fields::json(&body)?, &caller).await?;
    let found = api.queries.search(&asked.search).await?;
    let page = asked.search.offset / asked.search.limit.max(1) + 1;
    // A reader by cursor is told no number: pages are counted from the beginning.
    let next_page = found
        .next
        .as_ref()
        .filter(|_| asked.search.after.is_none())
        .map(|_| (page + 1).to_string());
    let next_cursor = found.next.as_ref().map(structured::cursor);
    let viewer_id = asked.search.viewer_id;
    let mut people = people_on_found(&api, &asked, &found.assets).await?;
    let shown = |row: AssetRow| match caller.link() {
        None => {
            let people = people.remove(&row.asset_id).unwrap_or_default();
            let found = AssetResponseDto::found(row, viewer_id, asked.with_exif);
            FoundAssetDto::open(found.with_people(people))
        }
        Some(_) => FoundAssetDto::to_visitors(row, caller.shows_metadata(), asked.with_exif),
    };
    let items = found.assets.into_iter().map(shown).collect();
    Ok(Json(SearchResponseDto::of(items, next_page, next_cursor)))
}
