//! `POST /search/smart`: assets by meaning; there are no models yet.

use axum::body::Bytes;
use calotype_domain::permission::Permission;

use super::dto::{SearchResponseDto, SmartSearchDto};
use super::filters;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::validate::Fields;

/// Finds assets by meaning: refused, as Immich refuses it where models are off.
#[utoipa::path(
    post, path = "/search/smart", tag = "Search", operation_id = "searchSmart",
    request_body = SmartSearchDto, responses((status = 200, body = SearchResponseDto))
)]
pub(super) async fn search_smart(caller: Caller, body: Bytes) -> Result<(), Problem> {
    caller.require(Permission::AssetRead)?;
    let mut fields = Fields::json(&body)?;
    for text in ["language", "query"] {
        fields.string(text);
    }
    fields.uuid("queryAssetId");
    filters::parse(fields, &caller)?;
    Err(Problem::bad_request("Smart search is not enabled"))
}
