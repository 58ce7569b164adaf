//! `POST /search/statistics`: how many assets fit.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::StatisticsSearchDto;
use super::filters;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// How many.
#[derive(Serialize, ToSchema)]
pub(super) struct SearchStatisticsResponseDto {
    total: i64,
}

/// Counts the assets that fit.
#[utoipa::path(
    post, path = "/search/statistics", tag = "Search", operation_id = "searchAssetStatistics",
    request_body = StatisticsSearchDto, responses((status = 200, body = SearchStatisticsResponseDto))
)]
pub(super) async fn search_asset_statistics(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<SearchStatisticsResponseDto>, Problem> {
    caller.require(Permission::AssetStatistics)?;
    let asked = filters::read(&api, Fields::json(&body)?, &caller).await?;
    let total = api.queries.count_found(&asked.search).await?;
    Ok(Json(SearchStatisticsResponseDto { total }))
}
