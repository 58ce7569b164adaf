//! `POST /search/metadata`: assets by what is known of them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use calotype_projections::search::SortKey;

use super::dto::{FoundAssetDto, MetadataSearchDto, SearchResponseDto};
use super::filters::Asked;
use super::people::people_on_found;
use super::{filters, page, structured};
use crate::assets::dto::AssetResponseDto;
use crate::assets::pieces::pieces;
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
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetRead)?;
    let asked = filters::read(&api, Fields::json(&body)?, &caller).await?;
    if caller.link().is_none() && !asked.with_people {
        let viewer_id = asked.search.viewer_id;
        let found = api.queries.search_hits(&asked.search).await?;
        let pieces = pieces(&api, &found.assets, viewer_id, asked.with_exif).await?;
        let (next_page, next_cursor) = next(&asked, found.next.as_ref());
        return Ok(page::answer(&pieces, next_page.as_deref(), next_cursor.as_deref()));
    }
    written_out(&api, &caller, &asked).await
}

/// What visitors of links see, and who is on what: not kept finished.
async fn written_out(api: &Api, caller: &Caller, asked: &Asked) -> Result<Response, Problem> {
    let found = api.queries.search(&asked.search).await?;
    let (next_page, next_cursor) = next(asked, found.next.as_ref());
    let viewer_id = asked.search.viewer_id;
    let mut people = people_on_found(api, asked, &found.assets).await?;
    let shown = |row: AssetRow| match caller.link() {
        None => {
            let people = people.remove(&row.asset_id).unwrap_or_default();
            let found = AssetResponseDto::found(row, viewer_id, asked.with_exif);
            FoundAssetDto::open(found.with_people(people))
        }
        Some(_) => FoundAssetDto::to_visitors(row, caller.shows_metadata(), asked.with_exif),
    };
    let items = found.assets.into_iter().map(shown).collect();
    Ok(Json(SearchResponseDto::of(items, next_page, next_cursor)).into_response())
}

/// The number and the cursor of the next page.
fn next(asked: &Asked, last: Option<&SortKey>) -> (Option<String>, Option<String>) {
    let page = asked.search.offset / asked.search.limit.max(1) + 1;
    // A reader by cursor is told no number: pages are counted from the beginning.
    let is_counted = asked.search.after.is_none();
    let next_page = last.filter(|_| is_counted).map(|_| (page + 1).to_string());
    (next_page, last.map(structured::cursor))
}
