//! `POST /search/smart`: assets by what they show.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use calotype_domain::permission::Permission;

use super::dto::{SearchResponseDto, SmartSearchDto};
use super::near::Wanted;
use super::{filters, page, whose};
use crate::assets::pieces::pieces;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Assets a page when nothing is said.
const SIZE: i64 = 100;

/// Finds the assets that show most of what words say, or of what another asset shows.
#[utoipa::path(
    post, path = "/search/smart", tag = "Search", operation_id = "searchSmart",
    request_body = SmartSearchDto, responses((status = 200, body = SearchResponseDto))
)]
pub(super) async fn search_smart(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.require(Permission::AssetRead)?;
    let mut fields = Fields::json(&body)?;
    let wanted = Wanted {
        language: fields.string("language"),
        text: fields.string("query").filter(|text| !text.is_empty()),
        asset_id: fields.uuid("queryAssetId"),
    };
    let mut asked = filters::parse_sized(fields, &caller, SIZE)?;
    let near = wanted.near(&api, &caller).await?;
    whose::settle(&api, &caller, &mut asked.search).await?;
    let found = api.queries.search_near(&asked.search, &near).await?;
    let pieces = pieces(&api, &found.assets, asked.search.viewer_id, asked.with_exif).await?;
    let number = asked.search.offset / asked.search.limit.max(1) + 1;
    let next = found.has_more.then(|| (number + 1).to_string());
    Ok(page::answer(&pieces, next.as_deref(), None))
}
