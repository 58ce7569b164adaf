//! `GET /map/markers`: where assets were taken.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;
use calotype_projections::search::MarkerFilter;
use chrono::{NaiveDate, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

use super::finished::{FinishedMap, answer};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::timeline_owners;
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
    let with_partners = fields.boolean("withPartners").unwrap_or_default();
    let with_albums = fields.boolean("withSharedAlbums").unwrap_or_default();
    fields.finish()?;
    let me = caller.user_id().uuid();
    let mut maps = vec![own(&api, me, filter).await?];
    // Nobody else's assets are favorites of the caller.
    if filter.is_favorite != Some(true) {
        let others = MarkerFilter { is_favorite: None, ..filter };
        let owners = if with_partners { timeline_owners(&api, &caller).await? } else { vec![me] };
        let partners = owners.get(1..).unwrap_or_default();
        for partner in partners {
            let timeline = MarkerFilter { with_archived: false, ..others };
            maps.push(own(&api, *partner, timeline).await?);
        }
        if with_albums {
            maps.push(shared(&api, me, partners, others).await?);
        }
    }
    answer(&maps, &headers).await
}

/// A person's own map.
async fn own(api: &Api, owner_id: Uuid, filter: MarkerFilter) -> Result<Arc<FinishedMap>, Problem> {
    if filter.from.is_none() && filter.until.is_none() {
        return api.caches.map.map(&api.queries, owner_id, filter).await;
    }
    between(api, owner_id, filter).await.map(Arc::new)
}

/// What others show by albums.
async fn shared(
    api: &Api,
    viewer_id: Uuid,
    partners: &[Uuid],
    filter: MarkerFilter,
) -> Result<Arc<FinishedMap>, Problem> {
    if filter.from.is_none() && filter.until.is_none() {
        return api.caches.map.shared(&api.queries, viewer_id, partners, filter).await;
    }
    let markers = api.queries.shared_markers(viewer_id, partners, filter).await?;
    FinishedMap::of(markers).await.map(Arc::new)
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
    FinishedMap::of(markers).await
}
