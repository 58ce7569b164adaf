//! `GET /albums`.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::albums::AlbumFilter;

use super::dto::{AlbumResponseDto, Spelling};
use crate::caller::Caller;
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
) -> Result<Json<Vec<AlbumResponseDto>>, Problem> {
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
    let albums = api.queries.albums_of(caller.user_id().uuid(), &filter).await?;
    Ok(Json(AlbumResponseDto::list(&api, &caller, albums, Spelling::Days).await?))
}
