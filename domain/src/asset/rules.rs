//! What a photo or film says to what is wished of it: details, purging, results and requests of processors.

use super::command::{Details, Purging};
use super::error::AssetError;
use super::event::{
    AssetDateChanged, AssetDescriptionChanged, AssetEvent, AssetFavorited, AssetLocationChanged,
    AssetPlaceFound, AssetProcessingRequested, AssetPurged, AssetRatingChanged, AssetUnfavorited,
    AssetVisibilityChanged,
};
use super::state::{Asset, Done};
use super::values::{ProcessorRef, Stage};

impl Asset {
    pub(super) fn purge(&self, why: Purging) -> Result<Vec<AssetEvent>, AssetError> {
        match why {
            Purging::Wished { by } | Purging::Trash { by: Some(by) } => self.owned_by(by)?,
            Purging::Trash { by: None }
            | Purging::WithStills
            | Purging::Account
            | Purging::Library => {
                self.existing()?;
            }
        }
        if matches!(why, Purging::Trash { .. }) && !self.trashed {
            return Err(AssetError::NotTrashed);
        }
        Ok(vec![AssetPurged {}.into()])
    }

    pub(super) fn change_details(&self, details: &Details) -> Result<Vec<AssetEvent>, AssetError> {
        let mut events: Vec<AssetEvent> = Vec::new();
        match details.favorite {
            Some(true) if !self.favorite => events.push(AssetFavorited {}.into()),
            Some(false) if self.favorite => events.push(AssetUnfavorited {}.into()),
            _ => {}
        }
        if let Some(visibility) = details.visibility.filter(|wish| *wish != self.visibility) {
            events.push(AssetVisibilityChanged { visibility }.into());
        }
        if let Some(description) = &details.description
            && self.person.description.as_deref() != Some(description)
        {
            events.push(AssetDescriptionChanged { description: description.clone().into() }.into());
        }
        if let Some(rating) = details.rating {
            if let Some(stars) = rating.filter(|stars| !matches!(stars, -1 | 1..=5)) {
                return Err(AssetError::BadRating { rating: stars });
            }
            if rating != self.person.rating.or(self.file.rating).flatten() {
                events.push(AssetRatingChanged { rating }.into());
            }
        }
        if let Some((taken_at, local_date_time, time_zone)) = details.date.clone() {
            events.push(AssetDateChanged { taken_at, local_date_time, time_zone }.into());
        }
        if let Some(position) = details.position {
            events.push(AssetLocationChanged { position: position.into() }.into());
            let of_it = |found: &&AssetPlaceFound| {
                found.place.known().is_some_and(|place| place.position == position)
            };
            events.extend(details.place.iter().find(of_it).cloned().map(AssetEvent::from));
        }
        Ok(events)
    }

    /// A result is news unless the same program said it of the same bytes and nobody asked again.
    pub(super) fn is_news(
        &self,
        stage: Stage,
        processor: &ProcessorRef,
        input_blake3: &str,
    ) -> bool {
        self.owner_id().is_some()
            && (self.requested.contains(&stage)
                || self.done.get(&stage).is_none_or(|done| {
                    done.processor != *processor || done.input_blake3 != input_blake3
                }))
    }

    /// A place is news unless it is known, or a person says that it was taken elsewhere.
    pub(super) fn is_new_place(&self, found: &AssetPlaceFound) -> bool {
        let elsewhere = self.person.position.is_some_and(|position| {
            found.place.known().is_none_or(|place| place.position != position)
        });
        self.owner_id().is_some() && !elsewhere && self.place.as_ref() != Some(found)
    }

    /// New pictures of the file make those of the edited photo anew, too.
    pub(super) fn request(&self, stage: Stage) -> Vec<AssetEvent> {
        let is_edited = !self.editing.edits().is_empty();
        let stages: &[Stage] = match stage {
            Stage::Edits if !is_edited => &[],
            Stage::Thumbnails if is_edited => &[Stage::Thumbnails, Stage::Edits],
            Stage::Metadata => &[Stage::Metadata],
            Stage::Thumbnails => &[Stage::Thumbnails],
            Stage::Edits => &[Stage::Edits],
            Stage::Video if !self.is_film => &[],
            Stage::Video => &[Stage::Video],
            Stage::Embedding => &[Stage::Embedding],
            Stage::Text => &[Stage::Text],
            Stage::Faces => &[Stage::Faces],
        };
        let fresh = stages.iter().filter(|stage| !self.requested.contains(stage));
        fresh.map(|stage| AssetProcessingRequested { stage: *stage }.into()).collect()
    }

    pub(super) fn settle(
        &mut self,
        stage: Stage,
        processor: &ProcessorRef,
        input: &str,
        failed: bool,
    ) {
        self.requested.retain(|requested| *requested != stage);
        self.done.insert(
            stage,
            Done { processor: processor.clone(), input_blake3: input.to_owned(), failed },
        );
    }
}
