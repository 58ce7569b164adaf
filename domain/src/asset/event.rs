//! The events of an asset. A published shape never changes; see [`crate::event`].

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::derived::AssetFileDeleted;
use super::edit::{AssetEdited, AssetEditedPicturesRecorded, AssetEditsRemoved};
use super::embedded::AssetEmbedded;
use super::encoded::{AssetVideoEncoded, AssetVideoEncodingSkipped, more_stages};
use super::external::{
    AssetCameOnline, AssetFileChanged, AssetImported, AssetRelocated, AssetWentOffline,
};
use super::faces_searched::AssetFacesSearched;
use super::full_size::AssetFullSizeRecorded;
use super::live::{AssetFilmLinked, AssetFilmUnlinked, AssetLivePartsFound};
use super::organize::{
    AssetDuplicatesDismissed, AssetDuplicatesFound, AssetKeyValueRemoved, AssetKeyValueSet,
    AssetStacked, AssetTagged, AssetTaggedByFile, AssetUnstacked, AssetUntagged,
    AssetUntaggedByFile,
};
use super::places::AssetOriginalMoved;
use super::sidecar::{AssetSidecarRefused, AssetSidecarWritten};
use super::text::AssetTextRead;
use super::undo::{
    AssetDateReverted, AssetDescriptionReverted, AssetLocationReverted, AssetRatingReverted,
};
use super::values::{
    Blob, DatasetRef, DerivedImage, MediaKind, PersonalMetadata, Place, Position, ProcessorRef,
    Stage, UploadedFile, Visibility,
};
use crate::event::events;
use crate::id::{AssetId, UserId};
use crate::sealed::Sealed;

/// A file was received whole and is stored durably.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetUploaded {
    /// Whose it is.
    pub owner_id: UserId,
    /// Picture or film, by extension.
    pub kind: MediaKind,
    /// The stored file.
    pub original: Blob,
    /// An XMP file that came with it.
    pub sidecar: Option<Blob>,
    /// The client's name for it.
    pub file: Sealed<UploadedFile>,
    /// When the client says the file was made.
    pub file_created_at: DateTime<Utc>,
    /// When the client says the file was last changed.
    pub file_modified_at: DateTime<Utc>,
    /// Whether it came marked as a favorite.
    pub is_favorite: bool,
    /// Where it shows.
    pub visibility: Visibility,
    /// Length of a film as the client says, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The film that belongs to this still.
    pub live_photo_video_id: Option<AssetId>,
}

/// What the file says about itself was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetMetadataRecorded {
    /// Which program read it.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes it read.
    pub input_blake3: String,
    /// The type by content.
    pub mime_type: String,
    /// Stored width in pixels.
    pub width: Option<u32>,
    /// Stored height in pixels.
    pub height: Option<u32>,
    /// EXIF orientation, 1 to 8.
    pub orientation: Option<u16>,
    /// The instant it was taken, or the best guess from the file's dates.
    pub taken_at: DateTime<Utc>,
    /// The photographer's wall clock at that instant.
    pub local_date_time: NaiveDateTime,
    /// The zone, `UTC+9` or an IANA name, where known.
    pub time_zone: Option<String>,
    /// Whether the date came from the file rather than from its upload.
    pub date_from_file: bool,
    /// Maker of the camera.
    pub make: Option<String>,
    /// Model of the camera.
    pub model: Option<String>,
    /// Model of the lens.
    pub lens_model: Option<String>,
    /// Aperture as a number f/n.
    pub f_number: Option<f64>,
    /// Focal length in millimetres.
    pub focal_length_mm: Option<f64>,
    /// ISO speed.
    pub iso: Option<u32>,
    /// Exposure time in seconds as text, `1/400`.
    pub exposure_time: Option<String>,
    /// Frames a second of a film.
    pub fps: Option<f64>,
    /// Length of a film in milliseconds.
    pub duration_ms: Option<u64>,
    /// Projection of a 360 degree picture.
    pub projection_type: Option<String>,
    /// Stars 1 to 5, -1 for rejected.
    pub rating: Option<i8>,
    /// Caption and place.
    pub personal: Sealed<PersonalMetadata>,
}

/// Thumbnail, preview and thumbhash were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetThumbnailsRecorded {
    /// Which program made them.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes they were made from.
    pub input_blake3: String,
    /// Base64 of the thumbhash.
    pub thumbhash: String,
    /// The small picture.
    pub thumbnail: DerivedImage,
    /// The screen-sized picture.
    pub preview: DerivedImage,
    /// Width as shown, after orientation, in pixels.
    pub display_width: u32,
    /// Height as shown, after orientation, in pixels.
    pub display_height: u32,
}

/// A processor gave up on the asset; it is parked until somebody asks again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetProcessingFailed {
    /// Which step failed.
    pub stage: Stage,
    /// Which program gave up.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes it read.
    pub input_blake3: String,
    /// A short code: `unsupported`, `corrupt`, `too_large`, `crashed`, `timed_out`, `out_of_memory`, `unreadable`.
    pub code: String,
    /// Why, for a person; holds no file name.
    pub reason: String,
}

/// Somebody asked for a step to be done again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetProcessingRequested {
    /// Which step.
    pub stage: Stage,
}

/// Marked as a favorite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFavorited {}

/// No longer a favorite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetUnfavorited {}

/// Shows elsewhere from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetVisibilityChanged {
    /// Where it shows now.
    pub visibility: Visibility,
}

/// A person wrote a caption.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetDescriptionChanged {
    /// The caption; empty for none.
    pub description: Sealed<String>,
}

/// A person gave stars, or took them away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetRatingChanged {
    /// 1 to 5, -1 for rejected, nothing for unrated.
    pub rating: Option<i8>,
}

/// A person said when it was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetDateChanged {
    /// The instant.
    pub taken_at: DateTime<Utc>,
    /// The photographer's wall clock at that instant.
    pub local_date_time: NaiveDateTime,
    /// The zone, where the person named one.
    pub time_zone: Option<String>,
}

/// A person said where it was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetLocationChanged {
    /// The point.
    pub position: Sealed<Position>,
}

/// What its position lies in was looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetPlaceFound {
    /// Which data set told it.
    pub dataset: DatasetRef,
    /// City, state and country, with the point they were looked up for.
    pub place: Sealed<Place>,
}

/// Put into the trash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTrashed {}

/// Taken out of the trash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetRestored {}

/// Deleted for good: its files are removed and its key is destroyed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetPurged {}

/// Somebody decided to live with it that a step of processing failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFailureDismissed {
    /// Which step.
    pub stage: Stage,
}

/// Another XMP file lies beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetSidecarReplaced {
    /// The stored file.
    pub sidecar: Blob,
}

/// Its file was lost or damaged, and its owner uploaded the same bytes again: they took its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetOriginalRestored {}

events! {
    /// Everything that can have happened to an asset.
    AssetEvent for "asset" {
        CameOnline(AssetCameOnline) 1,
        DateChanged(AssetDateChanged) 1,
        DateReverted(AssetDateReverted) 1,
        DescriptionChanged(AssetDescriptionChanged) 1,
        DescriptionReverted(AssetDescriptionReverted) 1,
        DuplicatesDismissed(AssetDuplicatesDismissed) 1,
        DuplicatesFound(AssetDuplicatesFound) 1,
        Edited(AssetEdited) 1,
        EditedPicturesRecorded(AssetEditedPicturesRecorded) 1,
        EditsRemoved(AssetEditsRemoved) 1,
        Embedded(AssetEmbedded) 1,
        FacesSearched(AssetFacesSearched) 1,
        FailureDismissed(AssetFailureDismissed) 4 [more_stages, more_stages, more_stages],
        Favorited(AssetFavorited) 1,
        FileChanged(AssetFileChanged) 1,
        FileDeleted(AssetFileDeleted) 1,
        FilmLinked(AssetFilmLinked) 1,
        FilmUnlinked(AssetFilmUnlinked) 1,
        FullSizeRecorded(AssetFullSizeRecorded) 1,
        Imported(AssetImported) 1,
        KeyValueRemoved(AssetKeyValueRemoved) 1,
        KeyValueSet(AssetKeyValueSet) 1,
        LivePartsFound(AssetLivePartsFound) 1,
        LocationChanged(AssetLocationChanged) 1,
        LocationReverted(AssetLocationReverted) 1,
        MetadataRecorded(AssetMetadataRecorded) 1,
        OriginalMoved(AssetOriginalMoved) 1,
        OriginalRestored(AssetOriginalRestored) 1,
        PlaceFound(AssetPlaceFound) 1,
        ProcessingFailed(AssetProcessingFailed) 4 [more_stages, more_stages, more_stages],
        ProcessingRequested(AssetProcessingRequested) 4 [more_stages, more_stages, more_stages],
        Purged(AssetPurged) 1,
        RatingChanged(AssetRatingChanged) 1,
        RatingReverted(AssetRatingReverted) 1,
        Relocated(AssetRelocated) 1,
        Restored(AssetRestored) 1,
        SidecarRefused(AssetSidecarRefused) 1,
        SidecarReplaced(AssetSidecarReplaced) 1,
        SidecarWritten(AssetSidecarWritten) 1,
        Stacked(AssetStacked) 1,
        Tagged(AssetTagged) 1,
        TaggedByFile(AssetTaggedByFile) 1,
        TextRead(AssetTextRead) 1,
        ThumbnailsRecorded(AssetThumbnailsRecorded) 1,
        Trashed(AssetTrashed) 1,
        Unfavorited(AssetUnfavorited) 1,
        Unstacked(AssetUnstacked) 1,
        Untagged(AssetUntagged) 1,
        UntaggedByFile(AssetUntaggedByFile) 1,
        Uploaded(AssetUploaded) 1,
        VideoEncoded(AssetVideoEncoded) 1,
        VideoEncodingSkipped(AssetVideoEncodingSkipped) 1,
        VisibilityChanged(AssetVisibilityChanged) 1,
        WentOffline(AssetWentOffline) 1,
    }
}
