//! The XMP file that lies beside an original: what people say about an asset is written into it, so that it
//! outlives this server. It is behind from the moment somebody says something until it is written.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::derived::DerivedFile;
use super::event::AssetEvent;
use super::state::Asset;
use super::values::{Blob, Position};
use crate::id::TagId;

/// What can be written into a sidecar.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SidecarField {
    /// The caption.
    Description,
    /// The stars.
    Rating,
    /// When it was taken.
    Date,
    /// Where it was taken.
    Position,
    /// The tags it carries.
    Tags,
}

/// What people say was written into the XMP file beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetSidecarWritten {
    /// The file as it is now; none while there is nothing to say and no file.
    pub sidecar: Option<Blob>,
    /// What was written by this server into it, now or before.
    pub fields: BTreeSet<SidecarField>,
}

/// What people say could not be written: what lies beside the original is no XMP that can be added to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetSidecarRefused {
    /// Why, for a person; holds nothing of the file.
    pub reason: String,
}

/// What became of writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SidecarOutcome {
    /// It is written.
    Written(AssetSidecarWritten),
    /// It cannot be.
    Refused(AssetSidecarRefused),
}

/// What a sidecar shall say. `None` leaves what it says; an inner `None` takes it out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SidecarWish {
    /// The caption.
    pub description: Option<Option<String>>,
    /// The stars.
    pub rating: Option<Option<i8>>,
    /// The instant, and the photographer's wall clock at it.
    pub date: Option<Option<(DateTime<Utc>, NaiveDateTime)>>,
    /// The point.
    pub position: Option<Option<Position>>,
    /// The tags.
    pub tags: Option<BTreeSet<TagId>>,
}

impl SidecarWish {
    /// What it speaks of.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<SidecarField> {
        let spoken_of = [
            (self.description.is_some(), SidecarField::Description),
            (self.rating.is_some(), SidecarField::Rating),
            (self.date.is_some(), SidecarField::Date),
            (self.position.is_some(), SidecarField::Position),
            (self.tags.is_some(), SidecarField::Tags),
        ];
        spoken_of.into_iter().filter(|(is, _)| *is).map(|(_, field)| field).collect()
    }
}

/// The sidecar of an asset, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    pub(super) blob: Option<Blob>,
    written: BTreeSet<SidecarField>,
    behind: bool,
}

/// Whether an event says what belongs into a sidecar.
#[must_use]
pub const fn belongs_into_sidecar(event: &AssetEvent) -> bool {
    matches!(
        event,
        AssetEvent::DateChanged(_)
            | AssetEvent::DateReverted(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::DescriptionReverted(_)
            | AssetEvent::LocationChanged(_)
            | AssetEvent::LocationReverted(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::RatingReverted(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::Tagged(_)
            | AssetEvent::Untagged(_)
    )
}

impl Sidecar {
    pub(super) fn of(blob: Option<Blob>) -> Self {
        Self { blob, ..Self::default() }
    }

    pub(super) fn decide(&self, outcome: &SidecarOutcome) -> Vec<AssetEvent> {
        match outcome {
            _ if !self.behind => vec![],
            SidecarOutcome::Written(written) => vec![written.clone().into()],
            SidecarOutcome::Refused(refused) => vec![refused.clone().into()],
        }
    }

    pub(super) fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::SidecarReplaced(replaced) => {
                // The other file says nothing that this server wrote.
                *self = Self::of(Some(replaced.sidecar.clone()));
                self.behind = true;
            }
            AssetEvent::SidecarWritten(written) => {
                self.blob.clone_from(&written.sidecar);
                self.written.clone_from(&written.fields);
                self.behind = false;
            }
            AssetEvent::SidecarRefused(_) => self.behind = false,
            // What people say from now on is written into a new one.
            AssetEvent::FileDeleted(deleted) if deleted.file == DerivedFile::Sidecar => {
                *self = Self { behind: self.behind, ..Self::default() };
            }
            event if belongs_into_sidecar(event) => self.behind = true,
            _ => {}
        }
    }
}

impl Asset {
    /// Whether something is to be written beside it.
    #[must_use]
    pub fn is_sidecar_behind(&self) -> bool {
        self.beside.behind && self.owner_id().is_some()
    }

    /// What its sidecar shall say, while it is behind: what people said, and where they took that back what
    /// the file says. `None` when there is nothing to write, and while the files are still to be read: what
    /// they say must not be lost by writing over it.
    #[must_use]
    pub fn sidecar_wish(&self) -> Option<SidecarWish> {
        if !self.is_sidecar_behind() || !self.is_read() {
            return None;
        }
        let was_written = |field| self.beside.written.contains(&field);
        let (person, file) = (&self.person, &self.file);
        let said_or = |said: bool, field| said || was_written(field);
        let date = person.date.as_ref().or(file.date.as_ref());
        Some(SidecarWish {
            description: said_or(person.description.is_some(), SidecarField::Description).then(
                || {
                    let words = person.description.as_ref().or(file.description.as_ref());
                    words.filter(|words| !words.is_empty()).cloned()
                },
            ),
            rating: said_or(person.rating.is_some(), SidecarField::Rating)
                .then(|| person.rating.or(file.rating).flatten()),
            date: said_or(person.date.is_some(), SidecarField::Date)
                .then(|| date.map(|(taken_at, local, _)| (*taken_at, *local))),
            position: said_or(person.position.is_some(), SidecarField::Position)
                .then(|| person.position.or(file.position)),
            tags: said_or(self.organized.is_said(), SidecarField::Tags)
                .then(|| self.organized.tags.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::event::{
        AssetDescriptionChanged, AssetProcessingFailed, AssetProcessingRequested,
        AssetRatingChanged,
    };
    use super::super::undo::{AssetDescriptionReverted, AssetRatingReverted};
    use super::super::{
        AssetTagged, AssetUploaded, MediaKind, ProcessorRef, Stage, UploadedFile, Visibility,
    };
    use super::*;
    use crate::event::Aggregate as _;
    use crate::id::UserId;

    fn blob(key: &str) -> Blob {
        Blob { key: key.into(), size_bytes: 3, sha1: "s".into(), blake3: "b".into() }
    }

    /// That there is nothing to read in it is known of an asset, too.
    fn unreadable() -> AssetProcessingFailed {
        AssetProcessingFailed {
            stage: Stage::Metadata,
            processor: ProcessorRef { name: "metadata".into(), version: 1 },
            input_blake3: "b".into(),
            code: "corrupt".into(),
            reason: "nothing inside".into(),
        }
    }

    fn after(events: &[AssetEvent]) -> Asset {
        read_or_not(true, events)
    }

    fn read_or_not(is_read: bool, events: &[AssetEvent]) -> Asset {
        let uploaded = AssetUploaded {
            owner_id: UserId::new(Uuid::from_u128(1)),
            kind: MediaKind::Image,
            original: blob("upload/a.jpg"),
            sidecar: None,
            file: UploadedFile { original_file_name: "a.jpg".into() }.into(),
            file_created_at: "2024-01-02T03:04:05Z".parse().unwrap(),
            file_modified_at: "2024-01-02T03:04:05Z".parse().unwrap(),
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let mut asset = Asset::default();
        asset.evolve(&uploaded.into());
        if is_read {
            asset.evolve(&unreadable().into());
        }
        for event in events {
            asset.evolve(event);
        }
        asset
    }

    fn described(words: &str) -> AssetEvent {
        AssetDescriptionChanged { description: words.to_owned().into() }.into()
    }

    fn written(fields: &[SidecarField]) -> AssetEvent {
        let fields = fields.iter().copied().collect();
        AssetSidecarWritten { sidecar: Some(blob("upload/a.jpg.xmp")), fields }.into()
    }

    #[test]
    fn nothing_is_written_until_somebody_says_something() {
        assert_eq!(after(&[]).sidecar_wish(), None);
        let wish = after(&[described("sea")]).sidecar_wish().unwrap();
        let only = SidecarWish { description: Some(Some("sea".into())), ..SidecarWish::default() };
        assert_eq!(wish, only);
        let done = after(&[described("sea"), written(&[SidecarField::Description])]);
        assert_eq!(done.sidecar_wish(), None);
    }

    #[test]
    fn what_files_say_is_read_before_it_is_written_over() {
        assert_eq!(read_or_not(false, &[described("sea")]).sidecar_wish(), None);
        let again = AssetProcessingRequested { stage: Stage::Metadata };
        let waiting = after(&[described("sea"), again.into()]);
        assert_eq!(waiting.sidecar_wish(), None);
        assert!(waiting.is_sidecar_behind());
    }

    #[test]
    fn what_is_taken_back_is_taken_out_of_the_file() {
        let stars = AssetRatingChanged { rating: Some(4) }.into();
        let back = AssetRatingReverted { rating: None }.into();
        let asset = after(&[stars, written(&[SidecarField::Rating]), back]);
        assert_eq!(asset.sidecar_wish().unwrap().rating, Some(None));
        // What never was in the file is not spoken of.
        let back = AssetDescriptionReverted { description: String::new().into() }.into();
        let asset = after(&[described("sea"), back]);
        assert_eq!(asset.sidecar_wish(), Some(SidecarWish::default()));
    }

    #[test]
    fn all_tags_are_written_once_a_person_spoke_of_one() {
        let tag_id = TagId::new(Uuid::from_u128(5));
        let wish = after(&[AssetTagged { tag_id }.into()]).sidecar_wish().unwrap();
        assert_eq!(wish.tags, Some(BTreeSet::from([tag_id])));
        assert_eq!(wish.fields(), BTreeSet::from([SidecarField::Tags]));
    }

    #[test]
    fn writing_is_recorded_only_while_it_is_behind() {
        let done = AssetSidecarWritten { sidecar: Some(blob("k")), fields: BTreeSet::new() };
        let outcome = SidecarOutcome::Written(done);
        assert!(Sidecar::default().decide(&outcome).is_empty());
        let mut behind = Sidecar::default();
        behind.evolve(&described("sea"));
        assert_eq!(behind.decide(&outcome).len(), 1);
    }
}
