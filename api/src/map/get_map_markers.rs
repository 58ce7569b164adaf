//! `GET /map/markers`: where assets were taken.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;
use calotype_projections::search::MarkerFilter;
use chrono::{NaiveDate, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

use super::finished::{FinishedMap, FinishedSheet, answer};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Where an asset was taken.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an answer that is written as bytes")]
pub(super) struct MapMarkerResponseDto {
    id: Uuid,
    lat: f64,
    lon: f64,
    #[schema(required)]
    city: Option<String>,
    #[schema(required)]
    state: Option<String>,
    #[schema(required)]
    country: Option<String>,
}

/// Where assets were taken, the newest first.
#[utoipa::path(
    get, path = "/map/markers", tag = "Map", operation_id = "getMapMarkers",
    params(
        ("fileCreatedAfter" = Option<String>, Query), ("fileCreatedBefore" = Option<String>, Query),
        ("isArchived" = Option<bool>, Query), ("isFavorite" = Option<bool>, Query),
        ("withPartners" = Option<bool>, Query), ("withSharedAlbums" = Option<bool>, Query)
    ),
    responses((status = 200, body = Vec<MapMarkerResponseDto>))
)]
pub(super) async fn get_map_markers(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Permission::MapRead)?;
    let mut fields = Fields::query(query.as_deref());
    let filter = MarkerFilter {
        with_archived: fields.boolean("isArchived").unwrap_or_default(),
        is_favorite: fields.boolean("isFavorite"),
        from: fields.datetime("fileCreatedAfter").map(|instant| instant.with_timezone(&Utc)),
        until: fields.datetime("fileCreatedBefore").map(|instant| instant.with_timezone(&Utc)),
    };
    // There are no partners and no shared albums yet, so that nothing is added for either.
    for wider in ["withPartners", "withSharedAlbums"] {
        fields.boolean(wider);
    }
    fields.finish()?;
    let owner_id = caller.user_id().uuid();
    let map = if filter.from.is_none() && filter.until.is_none() {
        api.caches.map.map(&api.queries, owner_id, filter).await?
    } else {
        between(&api, owner_id, filter).await?.into()
    };
    answer(&[map], &headers).await
}

/// The part of a map between two instants: asked for too variously to be kept.
async fn between(api: &Api, owner_id: Uuid, filter: MarkerFilter) -> Result<FinishedMap, Problem> {
    let sheets = api.queries.map_sheets(owner_id).await?;
    let months: Vec<NaiveDate> = sheets
        .iter()
        .map(|sheet| sheet.month)
        .filter(|month| filter.until.is_none_or(|until| *month <= until.date_naive()))
        .filter(|month| {
            let after = *month + chrono::Months::new(1);
            filter.from.is_none_or(|from| from.date_naive() < after)
        })
        .collect();
    let markers = api.queries.markers(owner_id, &months, filter).await?;
    let month = months.first().copied().unwrap_or_default();
    tokio::task::spawn_blocking(move || {
        FinishedMap::new(vec![FinishedSheet::of(month, &markers).into()])
    })
    .await
    .map_err(|error| Problem::internal(&error))
}
