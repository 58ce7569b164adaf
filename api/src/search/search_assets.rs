//! `POST /search/metadata`: assets by what is known of them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;

use super::dto::{MetadataSearchDto, SearchResponseDto};
use super::{filters, structured};
use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Finds assets by what is known of them.
#[utoipa::path(
    post, path = "/search/metadata", tag = "Search", operation_id = "searchAssets",
    request_body = MetadataSearchDto, responses((status = 200, body = SearchResponseDto))
)]
pub(super) async fn search_assets(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<SearchResponseDto>, Problem> {
    caller.require(Permission::AssetRead)?;
    let asked = filters::read(Fields::json(&body)?, &caller)?;
    let found = api.queries.search(&asked.search).await?;
    let page = asked.search.offset / asked.search.limit.max(1) + 1;
    // A reader by cursor is told no number: pages are counted from the beginning.
    let next_page = found
        .next
        .as_ref()
        .filter(|_| asked.search.after.is_none())
        .map(|_| (page + 1).to_string());
    let next_cursor = found.next.as_ref().map(structured::cursor);
    let items = found
        .assets
        .into_iter()
        .map(|row| AssetResponseDto::listed(row, asked.with_exif))
        .collect();
    Ok(Json(SearchResponseDto::of(items, next_page, next_cursor)))
}
