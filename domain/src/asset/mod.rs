//! One photo or film: uploaded, looked at by processors, marked by people, trashed, purged.

mod aggregate;
mod command;
mod error;
mod event;
mod merge;
mod organize;
mod undo;
mod values;

pub use aggregate::Asset;
pub use command::{AssetCommand, Details};
pub use error::AssetError;
pub use event::{
    AssetDateChanged, AssetDescriptionChanged, AssetEvent, AssetFavorited, AssetLocationChanged,
    AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed, AssetProcessingRequested,
    AssetPurged, AssetRatingChanged, AssetRestored, AssetSidecarReplaced, AssetThumbnailsRecorded,
    AssetTrashed, AssetUnfavorited, AssetUploaded, AssetVisibilityChanged,
};
pub use organize::{
    AssetDuplicatesDismissed, AssetDuplicatesFound, AssetKeyValueRemoved, AssetKeyValueSet,
    AssetStacked, AssetTagged, AssetTaggedByFile, AssetUnstacked, AssetUntagged,
    AssetUntaggedByFile, KeyValue, Organize, Organized,
};
pub use undo::{
    AssetDateReverted, AssetDescriptionReverted, AssetLocationReverted, AssetRatingReverted,
};
pub use values::{
    Blob, DatasetRef, DerivedImage, MediaKind, PersonalMetadata, Place, Position, ProcessorRef,
    Stage, UploadedFile, Visibility,
};
