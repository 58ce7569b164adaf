//! What an asset may be asked.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::derived::DerivedFile;
use super::edit::{AssetEdit, AssetEditedPicturesRecorded};
use super::embedded::AssetEmbedded;
use super::encoded::{AssetVideoEncoded, AssetVideoEncodingSkipped};
use super::event::{
    AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed, AssetThumbnailsRecorded,
    AssetUploaded,
};
use super::external::FileFound;
use super::faces_searched::AssetFacesSearched;
use super::full_size::AssetFullSizeRecorded;
use super::live::Live;
use super::organize::Organize;
use super::places::Move;
use super::sidecar::SidecarOutcome;
use super::text::{AssetTextRead, TextReader};
use super::values::{Blob, Position, Stage, Visibility};
use crate::id::{TagId, UserId};
use crate::model::ModelRef;

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
    Purge(Purging),
    /// Change how it stands among others.
    Organize {
        /// Who wishes it; nobody when a processor found it out or a stack decided it.
        by: Option<UserId>,
        /// The wish.
        wish: Organize,
    },
    /// Change which film belongs to it.
    Live {
        /// Who wishes it; nobody when a processor found it out.
        by: Option<UserId>,
        /// The wish.
        wish: Live,
    },
    /// Let another XMP file lie beside it, and read it.
    ReplaceSidecar {
        /// Who wishes it.
        by: UserId,
        /// The stored file.
        sidecar: Blob,
    },
    /// Delete one of the files beside it.
    DeleteFile {
        /// Who wishes it.
        by: UserId,
        /// Which.
        file: DerivedFile,
    },
    /// Show it edited so, and in no other way.
    Edit {
        /// Who wishes it.
        by: UserId,
        /// All edits, in order.
        edits: Vec<AssetEdit>,
    },
    /// Show it as its file has it.
    RemoveEdits {
        /// Who wishes it.
        by: UserId,
    },
    /// A scan looked at the file of a library that it is.
    File(Box<FileFound>),
    /// The same bytes took the place of its file that was lost.
    RestoreOriginal {
        /// Whose upload it was.
        by: UserId,
    },
    /// Do a step of processing again.
    RequestProcessing {
        /// Which step.
        stage: Stage,
    },
    /// Do a step of processing that was taken off its queue, though it was asked for before.
    RequestLeft {
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
    /// A processor wrote what people say beside the original, or cannot.
    RecordSidecar(SidecarOutcome),
    /// A processor moved its files.
    RecordMove(Box<Move>),
    /// A processor made the pictures.
    RecordThumbnails(Box<AssetThumbnailsRecorded>),
    /// A processor made the picture at full size, or none.
    RecordFullSize(Box<AssetFullSizeRecorded>),
    /// A processor made the pictures of the edited photo.
    RecordEditedPictures(Box<AssetEditedPicturesRecorded>),
    /// A processor made a copy of the film that every player shows.
    RecordVideoEncoded(Box<AssetVideoEncoded>),
    /// Ask for its vector of a model, unless that is known.
    WantEmbedding(Box<ModelRef>),
    /// A model looked at it.
    RecordEmbedding(Box<AssetEmbedded>),
    /// Ask for what this reader reads in it, unless that is known.
    WantText(Box<TextReader>),
    /// A model read what is written in it.
    RecordText(Box<AssetTextRead>),
    /// Ask for a search for faces by this model, unless there was one.
    WantFaces(Box<ModelRef>),
    /// A model looked for faces.
    RecordFacesSearched(Box<AssetFacesSearched>),
    /// A processor found that no copy of the film is wanted.
    RecordVideoSkipped(Box<AssetVideoEncodingSkipped>),
    /// A processor gave up.
    RecordFailure(Box<AssetProcessingFailed>),
}

/// Why an asset is deleted for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purging {
    /// Its owner wishes it, in the trash or not.
    Wished {
        /// Who wishes it.
        by: UserId,
    },
    /// The trash is emptied; what was taken out of it meanwhile stays.
    Trash {
        /// Who wishes it; nobody when the trash's time is over.
        by: Option<UserId>,
    },
    /// It is the film of stills that are deleted for good in the same transaction.
    WithStills,
    /// The account that owns it goes, and all that belongs to it.
    Account,
    /// The external library that it is in goes.
    Library,
}
