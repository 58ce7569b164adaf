//! One photo or film: uploaded, looked at by processors, marked by people, trashed, purged.

mod aggregate;
mod command;
mod error;
mod event;
mod values;

pub use aggregate::Asset;
pub use command::{AssetCommand, Details};
pub use error::AssetError;
pub use event::{
    AssetDateChanged, AssetDescriptionChanged, AssetEvent, AssetFavorited, AssetLocationChanged,
    AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed, AssetProcessingRequested,
    AssetPurged, AssetRatingChanged, AssetRestored, AssetThumbnailsRecorded, AssetTrashed,
    AssetUnfavorited, AssetUploaded, AssetVisibilityChanged,
};
pub use values::{
    Blob, DatasetRef, DerivedImage, MediaKind, PersonalMetadata, Place, Position, ProcessorRef,
    Stage, UploadedFile, Visibility,
};
