//! `GET /timeline/buckets`: the months and how many assets each holds.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::cache::Question;
use super::{columns, filter};
use crate::caller::Caller;
use crate::finished::answer;
use crate::problem::Problem;
use crate::state::Api;

/// A month.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes an answer that is written as bytes")]
pub(crate) struct TimeBucketsResponseDto {
    time_bucket: String,
    count: i64,
}

/// The months of the timeline.
#[utoipa::path(
    get, path = "/timeline/buckets", tag = "Timeline", operation_id = "getTimeBuckets",
    params(
        ("albumId" = Option<uuid::Uuid>, Query), ("bbox" = Option<String>, Query),
        ("isFavorite" = Option<bool>, Query), ("isTrashed" = Option<bool>, Query),
        ("key" = Option<String>, Query), ("slug" = Option<String>, Query),
        ("order" = Option<String>, Query), ("orderBy" = Option<String>, Query),
        ("personId" = Option<uuid::Uuid>, Query), ("tagId" = Option<uuid::Uuid>, Query),
        ("userId" = Option<uuid::Uuid>, Query), ("visibility" = Option<String>, Query),
        ("withCoordinates" = Option<bool>, Query), ("withPartners" = Option<bool>, Query),
        ("withStacked" = Option<bool>, Query)
    ),
    responses((status = 200, body = Vec<TimeBucketsResponseDto>))
)]
pub(crate) async fn get_time_buckets(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetRead)?;
    let asked = filter::read(&api, query.as_deref(), &caller, false).await?;
    let make = async {
        let counts = api.queries.buckets(&asked.filter).await?;
        Ok(columns::months(&counts))
    };
    let finished = api.caches.timeline.answer(&asked, Question::Months, make).await?;
    answer(&finished, &headers).await
}
