//! What is deleted for good together: stills, and the films that show nowhere without them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::view::AssetRow;
use crate::error::ProjectionError;
use crate::query::Queries;

/// Assets that are deleted for good in one transaction: all of them or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// Those that were asked for: one, or all that have the film.
    pub stills: Vec<AssetRow>,
    /// Their film.
    pub film: Option<AssetRow>,
}

impl Queries {
    /// Puts stills that are to go together with their films; a film stays while a still has it that is not to go.
    ///
    /// # Errors
    /// What the database said.
    pub async fn with_films(
        &self,
        stills: Vec<AssetRow>,
    ) -> Result<Vec<Together>, ProjectionError> {
        let still_ids: Vec<Uuid> = stills.iter().map(|still| still.asset_id).collect();
        let film_ids: Vec<Uuid> = stills
            .iter()
            .filter_map(|still| still.live_photo_video_id)
            .filter(|film_id| !still_ids.contains(film_id))
            .collect();
        let film_ids = self.films_of_only(&film_ids, &still_ids).await?;
        Ok(together(stills, self.assets(&film_ids).await?))
    }
}

/// Nobody's film goes with a still of somebody else.
fn together(stills: Vec<AssetRow>, films: Vec<AssetRow>) -> Vec<Together> {
    let mut of_films: BTreeMap<(Uuid, Uuid), Together> = films
        .into_iter()
        .map(|film| {
            let key = (film.owner_id, film.asset_id);
            (key, Together { stills: Vec::new(), film: Some(film) })
        })
        .collect();
    let mut all = Vec::new();
    for still in stills {
        let key = still.live_photo_video_id.map(|film_id| (still.owner_id, film_id));
        match key.and_then(|key| of_films.get_mut(&key)) {
            Some(part) => part.stills.push(still),
            None => all.push(Together { stills: vec![still], film: None }),
        }
    }
    all.extend(of_films.into_values().filter(|part| !part.stills.is_empty()));
    all
}
