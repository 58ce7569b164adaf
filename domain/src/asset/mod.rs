//! One photo or film: uploaded, looked at by processors, marked by people, trashed, purged.

mod aggregate;
mod command;
mod derived;
mod edit;
mod embedded;
mod encoded;
mod error;
mod event;
mod external;
mod faces_searched;
mod full_size;
mod live;
mod made;
mod merge;
mod organize;
mod places;
mod rules;
mod sidecar;
mod state;
mod text;
mod undo;
mod undo_table;
mod values;

pub use command::{AssetCommand, Details, Purging};
pub use derived::{AssetFileDeleted, DerivedFile};
pub use edit::{
    AssetEdit, AssetEdited, AssetEditedPicturesRecorded, AssetEditsRemoved, Crop, EDITS_MAX,
    EditAction, EditRefusal, Editing, Geometry, Mirror, MirrorAxis, Rotate, Turn,
};
pub use embedded::AssetEmbedded;
pub use encoded::{AssetVideoEncoded, AssetVideoEncodingSkipped};
pub use error::AssetError;
pub use event::{
    AssetDateChanged, AssetDescriptionChanged, AssetEvent, AssetFavorited, AssetLocationChanged,
    AssetMetadataRecorded, AssetOriginalRestored, AssetPlaceFound, AssetProcessingFailed,
    AssetProcessingRequested, AssetPurged, AssetRatingChanged, AssetRestored, AssetSidecarReplaced,
    AssetThumbnailsRecorded, AssetTrashed, AssetUnfavorited, AssetUploaded, AssetVisibilityChanged,
};
pub use external::{
    AssetCameOnline, AssetFileChanged, AssetImported, AssetRelocated, AssetWentOffline,
    ExternalFile, FileContent, FileFound,
};
pub use faces_searched::AssetFacesSearched;
pub use full_size::AssetFullSizeRecorded;
pub use live::{
    AssetFilmLinked, AssetFilmUnlinked, AssetLivePartsFound, EmbeddedFilm, Live, LiveParts,
};
pub use made::ShownPictures;
pub use organize::{
    AssetDuplicatesDismissed, AssetDuplicatesFound, AssetKeyValueRemoved, AssetKeyValueSet,
    AssetStacked, AssetTagged, AssetTaggedByFile, AssetUnstacked, AssetUntagged,
    AssetUntaggedByFile, KeyValue, Organize, Organized,
};
pub use places::{AssetOriginalMoved, Move, NewPlace, Places, TEMPLATED_ROOT, sidecar_place};
pub use sidecar::{
    AssetSidecarRefused, AssetSidecarWritten, Sidecar, SidecarField, SidecarOutcome, SidecarWish,
    belongs_into_sidecar,
};
pub use state::Asset;
pub use text::{AssetTextRead, LINES_MAX, TEXT_BYTES_MAX, TextBox, TextLimits, TextReader};
pub use undo::{
    AssetDateReverted, AssetDescriptionReverted, AssetLocationReverted, AssetRatingReverted,
};
pub(crate) use undo_table::WAYS;
pub use values::{
    Blob, DatasetRef, DerivedImage, MediaKind, PersonalMetadata, Place, Position, ProcessorRef,
    Stage, UploadedFile, Visibility,
};
