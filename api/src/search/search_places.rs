//! `GET /search/places`: where a place of a name is.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_media::gazetteer::{Found, GazetteerError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::assets::dto::number;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Places in one answer.
const PLACES_MAX: usize = 20;

/// A place.
#[derive(Serialize, ToSchema)]
pub(super) struct PlacesResponseDto {
    name: String,
    #[serde(serialize_with = "number")]
    #[schema(value_type = f64)]
    latitude: Option<f64>,
    #[serde(serialize_with = "number")]
    #[schema(value_type = f64)]
    longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin1name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin2name: Option<String>,
}

impl From<Found> for PlacesResponseDto {
    fn from(found: Found) -> Self {
        Self {
            name: found.name,
            latitude: Some(found.latitude),
            longitude: Some(found.longitude),
            admin1name: found.admin1,
            admin2name: found.admin2,
        }
    }
}

/// Places whose names fit, the best first.
#[utoipa::path(
    get, path = "/search/places", tag = "Search", operation_id = "searchPlaces",
    params(("name" = String, Query)),
    responses((status = 200, body = Vec<PlacesResponseDto>))
)]
pub(super) async fn search_places(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<PlacesResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let mut fields = Fields::query(query.as_deref());
    let name = fields.required_string("name");
    fields.finish()?;
    let Some(gazetteer) = api.gazetteer.clone() else { return Ok(Json(Vec::new())) };
    let found = tokio::task::spawn_blocking(move || gazetteer.find(&name, PLACES_MAX))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error: GazetteerError| Problem::internal(&error))?;
    Ok(Json(found.into_iter().map(PlacesResponseDto::from).collect()))
}
