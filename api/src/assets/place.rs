//! What a position that a person gives lies in: looked up before the wish is decided, so that both are
//! written together.

use std::sync::Arc;

use calotype_domain::asset::{AssetPlaceFound, DatasetRef, Details, Place};
use calotype_media::gazetteer::{Gazetteer, GazetteerError, Located};

use crate::problem::Problem;
use crate::state::Api;

/// Adds the place of a new position to a wish. Where no names of places are installed, or administrators do
/// not want places named, there is none.
///
/// # Errors
/// 500 when the file of places cannot be read; 503 when the settings cannot.
pub(crate) async fn name_place(api: &Api, details: &mut Details) -> Result<(), Problem> {
    let (Some(gazetteer), Some(position)) = (api.gazetteer.clone(), details.position) else {
        return Ok(());
    };
    if !api.queries.settings().await?.is_on("reverseGeocoding.enabled") {
        return Ok(());
    }
    let dataset = DatasetRef {
        name: gazetteer.dataset().to_owned(),
        version: gazetteer.version().to_owned(),
    };
    let Located { city, state, country } =
        locate(gazetteer, position.latitude, position.longitude).await?;
    let place = Place { position, city, state, country };
    details.place = Some(AssetPlaceFound { dataset, place: place.into() });
    Ok(())
}

/// Looks a position up without holding up other requests.
///
/// # Errors
/// 500 when the file of places cannot be read.
pub(crate) async fn locate(
    gazetteer: Arc<Gazetteer>,
    latitude: f64,
    longitude: f64,
) -> Result<Located, Problem> {
    tokio::task::spawn_blocking(move || gazetteer.locate(latitude, longitude))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error: GazetteerError| Problem::internal(&error))
}
