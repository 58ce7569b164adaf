//! What an asset may be asked.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::event::{
    AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed, AssetThumbnailsRecorded,
    AssetUploaded,
};
use super::organize::Organize;
use super::values::{Blob, Position, Stage, Visibility};
use crate::id::{TagId, UserId};

/// What a person changes about an asset in one go; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The favorite mark.
    pub favorite: Option<bool>,
    /// Where it shows.
    pub visibility: Option<Visibility>,
    /// The caption.
    pub description: Option<String>,
    /// The stars; `Some(None)` takes them away.
    pub rating: Option<Option<i8>>,
    /// When it was taken: instant, wall clock, zone.
    pub date: Option<(DateTime<Utc>, NaiveDateTime, Option<String>)>,
    /// Where it was taken.
    pub position: Option<Position>,
    /// What that position lies in, where names of places are at hand.
    pub place: Option<AssetPlaceFound>,
}

/// A wish about one asset.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetCommand {
    /// Take in a file that is stored durably.
    Upload(Box<AssetUploaded>),
    /// Change what a person may change.
    ChangeDetails {
        /// Who wishes it.
        by: UserId,
        /// What changes.
        details: Box<Details>,
    },
    /// Put into the trash.
    Trash {
        /// Who wishes it.
        by: UserId,
    },
    /// Take out of the trash.
    Restore {
        /// Who wishes it.
        by: UserId,
    },
    /// Delete for good.
    Purge {
        /// Who wishes it; nothing when the trash's time is over.
        by: Option<UserId>,
    },
    /// Change how it stands among others.
    Organize {
        /// Who wishes it; nobody when a processor found it out or a stack decided it.
        by: Option<UserId>,
        /// The wish.
        wish: Organize,
    },
    /// Let another XMP file lie beside it, and read it.
    ReplaceSidecar {
        /// Who wishes it.
        by: UserId,
        /// The stored file.
        sidecar: Blob,
    },
    /// Do a step of processing again.
    RequestProcessing {
        /// Which step.
        stage: Stage,
    },
    /// Live with it that a step of processing failed.
    DismissFailure {
        /// Which step.
        stage: Stage,
    },
    /// A processor read the file.
    RecordMetadata(Box<AssetMetadataRecorded>),
    /// A processor read the keywords of the file, which name these tags.
    RecordTags(BTreeSet<TagId>),
    /// A processor looked up what its position lies in.
    RecordPlace(Box<AssetPlaceFound>),
    /// A processor made the pictures.
    RecordThumbnails(Box<AssetThumbnailsRecorded>),
    /// A processor gave up.
    RecordFailure(Box<AssetProcessingFailed>),
}
