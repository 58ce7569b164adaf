//! `GET /timeline/bucket`: the assets of one month.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use calotype_domain::permission::Permission;
use chrono::NaiveDate;
use utoipa::ToSchema;
use uuid::Uuid;

use super::cache::Question;
use super::columns::Shown;
use super::{columns, filter};
use crate::caller::Caller;
use crate::finished::answer;
use crate::problem::Problem;
use crate::state::Api;

/// The assets of a month as columns of equal length.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes an answer that is written as bytes")]
pub(crate) struct TimeBucketAssetResponseDto {
    duration: Vec<Option<i64>>,
    id: Vec<Uuid>,
    visibility: Vec<String>,
    is_favorite: Vec<bool>,
    is_image: Vec<bool>,
    is_trashed: Vec<bool>,
    live_photo_video_id: Vec<Option<Uuid>>,
    file_created_at: Vec<String>,
    local_offset_hours: Vec<f64>,
    created_at: Vec<String>,
    owner_id: Vec<Uuid>,
    projection_type: Vec<Option<String>>,
    ratio: Vec<f64>,
    status: Vec<String>,
    thumbhash: Vec<Option<String>>,
    city: Vec<Option<String>>,
    country: Vec<Option<String>>,
    latitude: Option<Vec<Option<f64>>>,
    longitude: Option<Vec<Option<f64>>>,
    stack: Option<Vec<Option<Vec<String>>>>,
}

/// The assets of a month.
#[utoipa::path(
    get, path = "/timeline/bucket", tag = "Timeline", operation_id = "getTimeBucket",
    params(
        ("timeBucket" = String, Query),
        ("albumId" = Option<uuid::Uuid>, Query), ("bbox" = Option<String>, Query),
        ("isFavorite" = Option<bool>, Query), ("isTrashed" = Option<bool>, Query),
        ("key" = Option<String>, Query), ("slug" = Option<String>, Query),
        ("order" = Option<String>, Query), ("orderBy" = Option<String>, Query),
        ("personId" = Option<uuid::Uuid>, Query), ("tagId" = Option<uuid::Uuid>, Query),
        ("userId" = Option<uuid::Uuid>, Query), ("visibility" = Option<String>, Query),
        ("withCoordinates" = Option<bool>, Query), ("withPartners" = Option<bool>, Query),
        ("withStacked" = Option<bool>, Query)
    ),
    responses((status = 200, body = TimeBucketAssetResponseDto))
)]
pub(crate) async fn get_time_bucket(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetRead)?;
    let asked = filter::read(&api, query.as_deref(), &caller, true).await?;
    // Immich hands the text to its database and answers 500 when that does not take it.
    let month = asked.time_bucket.as_deref().and_then(date).ok_or_else(|| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Failed to get time bucket")
    })?;
    let (with_coordinates, with_stacked) = (asked.with_coordinates, asked.filter.with_stacked);
    let with_places = asked.with_places;
    let shown = Shown { with_coordinates, with_places, with_stacked };
    let make = async {
        let cells = api.caches.timeline.month(&asked, month, &api.queries).await?;
        tokio::task::spawn_blocking(move || columns::month(&cells, shown))
            .await
            .map_err(|error| Problem::internal(&error))
    };
    let question = Question::Month { month, with_coordinates, with_places, with_stacked };
    let finished = api.caches.timeline.answer(&asked, question, make).await?;
    answer(&finished, &headers).await
}

/// The date that `2024-01-01` or `2024-01-01T00:00:00.000Z` begins with; a sign before it is dropped.
fn date(text: &str) -> Option<NaiveDate> {
    // A `+` arrives as a space.
    let text = text.trim_start_matches(['+', '-', ' ']);
    let date = text.split('T').next()?;
    date.parse().ok().filter(|_| date.len() == 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_is_read_in_every_spelling_that_clients_use() {
        let december = NaiveDate::from_ymd_opt(2025, 12, 1);
        for text in ["2025-12-01", "2025-12-01T00:00:00.000Z", "+2025-12-01", " 2025-12-01"] {
            assert_eq!(date(text), december, "{text}");
        }
        for text in ["foo", "", "2025-13-01", "2025-12", "12025-12-01"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
