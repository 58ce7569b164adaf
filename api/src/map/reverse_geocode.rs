//! `GET /map/reverse-geocode`: what a position lies in.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::assets::place::locate;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// City, state and country.
#[derive(Serialize, ToSchema)]
pub(super) struct MapReverseGeocodeResponseDto {
    #[schema(required)]
    country: Option<String>,
    #[schema(required)]
    state: Option<String>,
    #[schema(required)]
    city: Option<String>,
}

/// What a position lies in; an empty list where no names of places are installed.
#[utoipa::path(
    get, path = "/map/reverse-geocode", tag = "Map", operation_id = "reverseGeocode",
    params(("lat" = f64, Query), ("lon" = f64, Query)),
    responses((status = 200, body = Vec<MapReverseGeocodeResponseDto>))
)]
pub(super) async fn reverse_geocode(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<MapReverseGeocodeResponseDto>>, Problem> {
    caller.require(Permission::MapSearch)?;
    let mut fields = Fields::query(query.as_deref());
    let latitude = degrees(&mut fields, "lat", 90.0);
    let longitude = degrees(&mut fields, "lon", 180.0);
    fields.finish()?;
    let Some(gazetteer) = api.gazetteer.clone() else { return Ok(Json(Vec::new())) };
    let found = locate(gazetteer, latitude, longitude).await?;
    let (country, state, city) = (found.country, found.state, found.city);
    Ok(Json(vec![MapReverseGeocodeResponseDto { country, state, city }]))
}

fn degrees(fields: &mut Fields, name: &str, most: f64) -> f64 {
    if !fields.has(name) {
        fields.issue(json!({
            "expected": "number", "code": "invalid_type", "received": "NaN", "path": [name],
            "message": "Invalid input: expected number, received NaN"
        }));
    }
    fields.number(name, -most, most).unwrap_or_default()
}
