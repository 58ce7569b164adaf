//! The rules of an asset. It remembers what the rules need, never what a screen needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::command::{AssetCommand, Details};
use super::error::AssetError;
use super::event::{
    AssetDateChanged, AssetDescriptionChanged, AssetEvent, AssetFailureDismissed, AssetFavorited,
    AssetLocationChanged, AssetMetadataRecorded, AssetPlaceFound, AssetProcessingRequested,
    AssetPurged, AssetRatingChanged, AssetRestored, AssetSidecarReplaced, AssetTrashed,
    AssetUnfavorited, AssetVisibilityChanged,
};
use super::organize::Organized;
use super::undo::Words;
use super::values::{Blob, Position, ProcessorRef, Stage, Visibility};
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{DuplicateId, StackId, TagId, UserId};

/// How far a step of processing got, and for which input and program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Done {
    processor: ProcessorRef,
    input_blake3: String,
    failed: bool,
}

/// One photo or film, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Asset {
    owner_id: Option<UserId>,
    original_blake3: String,
    pub(super) favorite: bool,
    pub(super) visibility: Visibility,
    /// What the file says about itself.
    pub(super) file: Words,
    /// What a person said over it.
    pub(super) person: Words,
    /// What its position was found to lie in last.
    pub(super) place: Option<AssetPlaceFound>,
    pub(super) trashed: bool,
    purged: bool,
    pub(super) organized: Organized,
    sidecar: Option<Blob>,
    done: BTreeMap<Stage, Done>,
    requested: Vec<Stage>,
}

impl Asset {
    /// Whose it is, while it exists.
    #[must_use]
    pub fn owner_id(&self) -> Option<UserId> {
        if self.purged { None } else { self.owner_id }
    }

    /// Whether a step still has to be done by this program for the file as it is.
    #[must_use]
    pub fn wants(&self, stage: Stage, processor: &ProcessorRef) -> bool {
        self.owner_id().is_some()
            && (self.requested.contains(&stage)
                || self.done.get(&stage).is_none_or(|done| {
                    done.processor.version < processor.version
                        || done.input_blake3 != self.original_blake3
                }))
    }

    /// Whether somebody may say who is on it.
    ///
    /// # Errors
    /// [`AssetError::NotFound`], [`AssetError::NotOwner`].
    pub fn may_be_tagged(&self, by: UserId) -> Result<(), AssetError> {
        self.owned_by(by)
    }

    /// Where a person says it was taken; it stands above what the file says.
    #[must_use]
    pub fn position_by_person(&self) -> Option<Position> {
        self.person.position
    }

    /// Whether it is in the trash.
    #[must_use]
    pub fn is_trashed(&self) -> bool {
        self.trashed
    }

    /// Whether it carries the mark of a favorite.
    #[must_use]
    pub fn is_favorite(&self) -> bool {
        self.favorite
    }

    /// Where it shows.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// The tags it carries.
    #[must_use]
    pub fn tags(&self) -> &BTreeSet<TagId> {
        &self.organized.tags
    }

    /// The stack it is in, and whether it stands for it.
    #[must_use]
    pub fn stack(&self) -> Option<(StackId, bool)> {
        self.organized.stack
    }

    /// The group of duplicates it is in.
    #[must_use]
    pub fn duplicates(&self) -> Option<DuplicateId> {
        self.organized.duplicates
    }

    /// The XMP file that lies beside it.
    #[must_use]
    pub fn sidecar(&self) -> Option<&Blob> {
        self.sidecar.as_ref()
    }

    fn existing(&self) -> Result<UserId, AssetError> {
        self.owner_id().ok_or(AssetError::NotFound)
    }

    fn owned_by(&self, by: UserId) -> Result<(), AssetError> {
        if self.existing()? == by { Ok(()) } else { Err(AssetError::NotOwner { by }) }
    }

    fn change_details(&self, details: &Details) -> Result<Vec<AssetEvent>, AssetError> {
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
    fn is_news(&self, stage: Stage, processor: &ProcessorRef, input_blake3: &str) -> bool {
        self.owner_id().is_some()
            && (self.requested.contains(&stage)
                || self.done.get(&stage).is_none_or(|done| {
                    done.processor != *processor || done.input_blake3 != input_blake3
                }))
    }

    /// A place is news unless it is known, or a person says that it was taken elsewhere.
    fn is_new_place(&self, found: &AssetPlaceFound) -> bool {
        let elsewhere = self.person.position.is_some_and(|position| {
            found.place.known().is_none_or(|place| place.position != position)
        });
        self.owner_id().is_some() && !elsewhere && self.place.as_ref() != Some(found)
    }

    fn settle(&mut self, stage: Stage, processor: &ProcessorRef, input: &str, failed: bool) {
        self.requested.retain(|requested| *requested != stage);
        self.done.insert(
            stage,
            Done { processor: processor.clone(), input_blake3: input.to_owned(), failed },
        );
    }
}

fn file_words(facts: &AssetMetadataRecorded) -> Words {
    let personal = facts.personal.known();
    Words {
        description: personal.and_then(|personal| personal.description.clone()),
        rating: Some(facts.rating),
        date: Some((facts.taken_at, facts.local_date_time, facts.time_zone.clone())),
        position: personal.and_then(|personal| personal.position),
    }
}

impl Aggregate for Asset {
    type Command = AssetCommand;
    type Event = AssetEvent;
    type Error = AssetError;

    fn decide(&self, command: &AssetCommand) -> Result<Vec<AssetEvent>, AssetError> {
        match command {
            AssetCommand::Upload(_) if self.owner_id.is_some() => Err(AssetError::AlreadyExists),
            AssetCommand::Upload(uploaded) => Ok(vec![AssetEvent::Uploaded((**uploaded).clone())]),
            AssetCommand::ChangeDetails { by, details } => {
                self.owned_by(*by)?;
                self.change_details(details)
            }
            AssetCommand::Trash { by } => {
                self.owned_by(*by)?;
                Ok(if self.trashed { vec![] } else { vec![AssetTrashed {}.into()] })
            }
            AssetCommand::Restore { by } => {
                self.owned_by(*by)?;
                Ok(if self.trashed { vec![AssetRestored {}.into()] } else { vec![] })
            }
            AssetCommand::Purge { .. } if self.purged => Ok(vec![]),
            AssetCommand::Purge { by } => {
                match by {
                    Some(by) => self.owned_by(*by)?,
                    None => {
                        self.existing()?;
                    }
                }
                Ok(vec![AssetPurged {}.into()])
            }
            AssetCommand::Organize { by, wish } => {
                match by {
                    Some(by) => self.owned_by(*by)?,
                    None => {
                        self.existing()?;
                    }
                }
                self.organized.decide(wish)
            }
            AssetCommand::ReplaceSidecar { by, sidecar } => {
                self.owned_by(*by)?;
                Ok(if self.sidecar.as_ref() == Some(sidecar) {
                    vec![]
                } else {
                    vec![
                        AssetSidecarReplaced { sidecar: sidecar.clone() }.into(),
                        AssetProcessingRequested { stage: Stage::Metadata }.into(),
                    ]
                })
            }
            AssetCommand::RequestProcessing { stage } => {
                self.existing()?;
                Ok(if self.requested.contains(stage) {
                    vec![]
                } else {
                    vec![AssetProcessingRequested { stage: *stage }.into()]
                })
            }
            AssetCommand::DismissFailure { stage } => {
                self.existing()?;
                Ok(if self.done.get(stage).is_some_and(|done| done.failed) {
                    vec![AssetFailureDismissed { stage: *stage }.into()]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordMetadata(facts) => {
                Ok(if self.is_news(Stage::Metadata, &facts.processor, &facts.input_blake3) {
                    vec![AssetEvent::MetadataRecorded((**facts).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordTags(named) => Ok(match self.owner_id() {
                Some(_) => self.organized.follow_file(named),
                None => vec![],
            }),
            AssetCommand::RecordPlace(found) => Ok(if self.is_new_place(found) {
                vec![AssetEvent::PlaceFound((**found).clone())]
            } else {
                vec![]
            }),
            AssetCommand::RecordThumbnails(made) => {
                Ok(if self.is_news(Stage::Thumbnails, &made.processor, &made.input_blake3) {
                    vec![AssetEvent::ThumbnailsRecorded((**made).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordFailure(failed) => {
                Ok(if self.is_news(failed.stage, &failed.processor, &failed.input_blake3) {
                    vec![AssetEvent::ProcessingFailed((**failed).clone())]
                } else {
                    vec![]
                })
            }
        }
    }

    fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::Uploaded(uploaded) => {
                self.owner_id = Some(uploaded.owner_id);
                self.original_blake3.clone_from(&uploaded.original.blake3);
                self.favorite = uploaded.is_favorite;
                self.visibility = uploaded.visibility;
                self.sidecar.clone_from(&uploaded.sidecar);
                let made = uploaded.file_created_at;
                self.file.date = Some((made, made.naive_utc(), None));
            }
            AssetEvent::MetadataRecorded(facts) => {
                self.file = file_words(facts);
                self.settle(Stage::Metadata, &facts.processor, &facts.input_blake3, false);
                let position = facts.personal.known().and_then(|personal| personal.position);
                if self.person.position.is_none() {
                    self.place.take_if(|found| {
                        found.place.known().map(|place| place.position) != position
                    });
                }
            }
            AssetEvent::ThumbnailsRecorded(made) => {
                self.settle(Stage::Thumbnails, &made.processor, &made.input_blake3, false);
            }
            AssetEvent::ProcessingFailed(failed) => {
                self.settle(failed.stage, &failed.processor, &failed.input_blake3, true);
            }
            AssetEvent::ProcessingRequested(requested) => self.requested.push(requested.stage),
            AssetEvent::FailureDismissed(dismissed) => {
                if let Some(done) = self.done.get_mut(&dismissed.stage) {
                    done.failed = false;
                }
            }
            AssetEvent::Favorited(AssetFavorited {}) => self.favorite = true,
            AssetEvent::Unfavorited(AssetUnfavorited {}) => self.favorite = false,
            AssetEvent::VisibilityChanged(changed) => self.visibility = changed.visibility,
            AssetEvent::DescriptionChanged(changed) => {
                self.person.description = changed.description.known().cloned();
            }
            AssetEvent::DescriptionReverted(_) => self.person.description = None,
            AssetEvent::RatingChanged(changed) => self.person.rating = Some(changed.rating),
            AssetEvent::RatingReverted(_) => self.person.rating = None,
            AssetEvent::DateChanged(changed) => {
                let zone = changed.time_zone.clone();
                self.person.date = Some((changed.taken_at, changed.local_date_time, zone));
            }
            AssetEvent::DateReverted(_) => self.person.date = None,
            AssetEvent::LocationChanged(changed) => {
                self.person.position = changed.position.known().copied();
                self.place = None;
            }
            AssetEvent::LocationReverted(_) => {
                self.person.position = None;
                self.place = None;
            }
            AssetEvent::PlaceFound(found) => self.place = Some(found.clone()),
            AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::Untagged(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Stacked(_)
            | AssetEvent::Unstacked(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::KeyValueRemoved(_) => self.organized.evolve(event),
            AssetEvent::SidecarReplaced(replaced) => {
                self.sidecar = Some(replaced.sidecar.clone());
            }
            AssetEvent::Trashed(AssetTrashed {}) => self.trashed = true,
            AssetEvent::Restored(AssetRestored {}) => self.trashed = false,
            AssetEvent::Purged(AssetPurged {}) => self.purged = true,
        }
    }
}

cqrs_aggregate!(Asset, AssetCommand, AssetEvent, AssetError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::super::event::{AssetProcessingFailed, AssetUploaded};
    use super::super::values::{Blob, DatasetRef, MediaKind, Place, UploadedFile};
    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    fn uploaded() -> AssetUploaded {
        AssetUploaded {
            owner_id: OWNER,
            kind: MediaKind::Image,
            original: Blob {
                key: "upload/a".into(),
                size_bytes: 3,
                sha1: "s".into(),
                blake3: "b".into(),
            },
            sidecar: None,
            file: UploadedFile { original_file_name: "a.jpg".into() }.into(),
            file_created_at: "2024-01-02T03:04:05Z".parse().unwrap(),
            file_modified_at: "2024-01-02T03:04:05Z".parse().unwrap(),
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        }
    }

    fn failed(version: u32) -> AssetProcessingFailed {
        AssetProcessingFailed {
            stage: Stage::Thumbnails,
            processor: ProcessorRef { name: "thumbnails".into(), version },
            input_blake3: "b".into(),
            code: "corrupt".into(),
            reason: "no picture inside".into(),
        }
    }

    fn favorite(by: UserId, favorite: bool) -> AssetCommand {
        let details = Box::new(Details { favorite: Some(favorite), ..Details::default() });
        AssetCommand::ChangeDetails { by, details }
    }

    type Given = TestFramework<Asset>;

    #[test]
    fn owner_favorites_an_asset() {
        Given::with(())
            .given(vec![uploaded().into()])
            .when(favorite(OWNER, true))
            .then_expect_events(vec![AssetFavorited {}.into()]);
    }

    #[test]
    fn favoriting_twice_happens_once() {
        Given::with(())
            .given(vec![uploaded().into(), AssetFavorited {}.into()])
            .when(favorite(OWNER, true))
            .then_expect_events(vec![]);
    }

    #[test]
    fn stranger_cannot_favorite() {
        Given::with(())
            .given(vec![uploaded().into()])
            .when(favorite(STRANGER, true))
            .then_expect_error(AssetError::NotOwner { by: STRANGER });
    }

    #[test]
    fn purged_asset_is_not_found() {
        Given::with(())
            .given(vec![uploaded().into(), AssetPurged {}.into()])
            .when(favorite(OWNER, true))
            .then_expect_error(AssetError::NotFound);
    }

    const PARIS: Position = Position { latitude: 48.85, longitude: 2.35 };

    fn found(position: Position, city: &str) -> AssetPlaceFound {
        let dataset = DatasetRef { name: "places".into(), version: "1".into() };
        let city = Some(city.to_owned());
        let place = Place { position, city, state: None, country: Some("France".into()) };
        AssetPlaceFound { dataset, place: place.into() }
    }

    fn moved(position: Position) -> AssetEvent {
        AssetLocationChanged { position: position.into() }.into()
    }

    #[test]
    fn new_position_comes_with_its_place() {
        let place = Some(found(PARIS, "Paris"));
        let details = Box::new(Details { position: Some(PARIS), place, ..Details::default() });
        Given::with(())
            .given(vec![uploaded().into()])
            .when(AssetCommand::ChangeDetails { by: OWNER, details })
            .then_expect_events(vec![moved(PARIS), found(PARIS, "Paris").into()]);
    }

    #[test]
    fn same_place_is_recorded_once() {
        Given::with(())
            .given(vec![uploaded().into(), found(PARIS, "Paris").into()])
            .when(AssetCommand::RecordPlace(Box::new(found(PARIS, "Paris"))))
            .then_expect_events(vec![]);
    }

    #[test]
    fn place_of_the_file_gives_way_to_a_persons_position() {
        let lyon = Position { latitude: 45.76, longitude: 4.84 };
        Given::with(())
            .given(vec![uploaded().into(), moved(lyon)])
            .when(AssetCommand::RecordPlace(Box::new(found(PARIS, "Paris"))))
            .then_expect_events(vec![]);
    }

    #[test]
    fn six_stars_are_refused() {
        let details = Box::new(Details { rating: Some(Some(6)), ..Details::default() });
        Given::with(())
            .given(vec![uploaded().into()])
            .when(AssetCommand::ChangeDetails { by: OWNER, details })
            .then_expect_error(AssetError::BadRating { rating: 6 });
    }

    #[test]
    fn same_result_of_the_same_bytes_is_recorded_once() {
        Given::with(())
            .given(vec![uploaded().into(), failed(1).into()])
            .when(AssetCommand::RecordFailure(Box::new(failed(1))))
            .then_expect_events(vec![]);
    }

    #[test]
    fn result_is_recorded_again_when_somebody_asked() {
        let asked = AssetProcessingRequested { stage: Stage::Thumbnails };
        Given::with(())
            .given(vec![uploaded().into(), failed(1).into(), asked.into()])
            .when(AssetCommand::RecordFailure(Box::new(failed(1))))
            .then_expect_events(vec![failed(1).into()]);
    }

    #[test]
    fn newer_program_is_wanted() {
        let mut asset = Asset::default();
        asset.evolve(&uploaded().into());
        asset.evolve(&failed(1).into());
        let newer = ProcessorRef { name: "thumbnails".into(), version: 2 };
        assert!(asset.wants(Stage::Thumbnails, &newer));
        assert!(!asset.wants(Stage::Thumbnails, &failed(1).processor));
    }

    #[test]
    fn trashing_twice_happens_once() {
        Given::with(())
            .given(vec![uploaded().into(), AssetTrashed {}.into()])
            .when(AssetCommand::Trash { by: OWNER })
            .then_expect_events(vec![]);
    }
}
