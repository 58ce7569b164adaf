//! `GET /albums`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_projections::albums::AlbumFilter;

use super::dto::{AlbumResponseDto, Spelling};
use super::lists::Key;
use crate::caller::Caller;
use crate::finished::answer;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Lists the albums that the caller has a part in, newest first.
#[utoipa::path(
    get, path = "/albums", tag = "Albums", operation_id = "getAllAlbums",
    params(
        ("assetId" = Option<Uuid>, Query), ("id" = Option<Uuid>, Query),
        ("isOwned" = Option<bool>, Query), ("isShared" = Option<bool>, Query),
        ("name" = Option<String>, Query)
    ),
    responses((status = 200, body = Vec<AlbumResponseDto>))
)]
pub(crate) async fn get_all_albums(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Permission::AlbumRead)?;
    let mut fields = Fields::query(query.as_deref());
    let mut filter = AlbumFilter {
        asset_id: fields.uuid("assetId"),
        album_id: fields.uuid("id"),
        is_owned: fields.boolean("isOwned"),
        is_shared: fields.boolean("isShared"),
        name: fields.string("name"),
    };
    fields.finish()?;
    if filter.asset_id.is_some() {
        // By asset, nothing else counts.
        filter = AlbumFilter { asset_id: filter.asset_id, ..AlbumFilter::default() };
    }
    let viewer_id = caller.user_id().uuid();
    let AlbumFilter { is_owned, is_shared, .. } = filter;
    let list = async || {
        let albums = api.queries.albums_of(viewer_id, &filter).await?;
        AlbumResponseDto::list(&api, &caller, albums, Spelling::Days).await
    };
    if filter != (AlbumFilter { is_owned, is_shared, ..AlbumFilter::default() }) {
        return Ok(Json(list().await?).into_response());
    }
    let make = async {
        let albums = list().await?;
        tokio::task::spawn_blocking(move || serde_json::to_vec(&albums))
            .await
            .map_err(|error| Problem::internal(&error))?
            .map_err(|error| Problem::internal(&error))
    };
    let key = Key { viewer_id, is_owned, is_shared };
    let finished = api.caches.album_lists.answer(&api, key, make).await?;
    answer(&finished, &headers).await
}
