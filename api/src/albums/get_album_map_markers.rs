//! `GET /albums/{id}/map-markers`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_projections::albums::AlbumMarker;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_album;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Where an asset was taken.
#[derive(Serialize, ToSchema)]
#[schema(as = MapMarkerResponseDto)]
pub(crate) struct AlbumMapMarkerDto {
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

impl From<AlbumMarker> for AlbumMapMarkerDto {
    fn from(marker: AlbumMarker) -> Self {
        Self {
            id: marker.asset_id,
            lat: marker.latitude,
            lon: marker.longitude,
            city: marker.city,
            state: marker.state,
            country: marker.country,
        }
    }
}

/// Where the assets of an album were taken.
#[utoipa::path(
    get, path = "/albums/{id}/map-markers", tag = "Albums", operation_id = "getAlbumMapMarkers",
    params(("id" = Uuid, Path), ("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    responses((status = 200, body = Vec<AlbumMapMarkerDto>))
)]
pub(crate) async fn get_album_map_markers(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<AlbumMapMarkerDto>>, Problem> {
    caller.require_shared(Permission::AlbumRead)?;
    let id = path_uuid("id", &id)?;
    require_album(&api, &caller, Permission::AlbumRead, id).await?;
    if !caller.shows_metadata() {
        return Ok(Json(Vec::new()));
    }
    let markers = api.queries.album_markers(id, caller.as_owner()).await?;
    Ok(Json(markers.into_iter().map(AlbumMapMarkerDto::from).collect()))
}
