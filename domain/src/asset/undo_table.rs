//! How events of assets go back.

use crate::permission::Permission;
use crate::undo::Need;
use crate::undo::way::{Row, back, follows, never};

/// Why an upload is not taken back.
pub(super) const UPLOADED: &str = "An upload is put into the trash or deleted, not taken back";
/// Why what was deleted for good does not come back.
pub(super) const PURGED: &str = "It was deleted for good: its file is gone";

const MADE: &str = "made by the server from the file";
const LIBRARY: &str = "follows from the files of an external library";
const UPDATE: Need = Need::of(Permission::AssetUpdate);
const TRASH: Need = Need::of(Permission::AssetDelete);
const TAG: Need = Need { key: Permission::TagAsset, person: Permission::AssetUpdate, admin: None };
const STACK: &str = "goes back with its stack";
const DATE: &[&str] = &["AssetDateChanged", "AssetDateReverted"];
const DESCRIPTION: &[&str] = &["AssetDescriptionChanged", "AssetDescriptionReverted"];
const RATING: &[&str] = &["AssetRatingChanged", "AssetRatingReverted"];
const POSITION: &[&str] = &["AssetLocationChanged", "AssetLocationReverted"];
const DUPLICATES: &[&str] = &["AssetDuplicatesDismissed", "AssetDuplicatesFound"];
const KEY_VALUES: &[&str] = &["AssetKeyValueRemoved", "AssetKeyValueSet"];
const EDITS: &[&str] = &["AssetEdited", "AssetEditsRemoved"];
const FILM: &[&str] = &["AssetFilmLinked", "AssetFilmUnlinked"];

/// How events of assets go back.
pub(crate) const WAYS: &[Row] = &[
    follows("AssetCameOnline", LIBRARY),
    back("AssetDateChanged", "date", DATE, UPDATE),
    back("AssetDateReverted", "date", DATE, UPDATE),
    back("AssetDescriptionChanged", "description", DESCRIPTION, UPDATE),
    back("AssetDescriptionReverted", "description", DESCRIPTION, UPDATE),
    back("AssetDuplicatesDismissed", "duplicates", DUPLICATES, UPDATE),
    back("AssetDuplicatesFound", "duplicates", DUPLICATES, UPDATE),
    back("AssetEdited", "edits", EDITS, Need::of(Permission::AssetEditCreate)),
    back("AssetEditsRemoved", "edits", EDITS, Need::of(Permission::AssetEditDelete)),
    follows("AssetEditedPicturesRecorded", MADE),
    follows("AssetEmbedded", MADE),
    follows("AssetFacesSearched", MADE),
    follows("AssetFailureDismissed", "only forgets a failure that the next run may tell again"),
    back("AssetFavorited", "favorite", &["AssetUnfavorited"], UPDATE),
    back("AssetUnfavorited", "favorite", &["AssetFavorited"], UPDATE),
    back("AssetFilmLinked", "film", FILM, UPDATE),
    back("AssetFilmUnlinked", "film", FILM, UPDATE),
    follows("AssetFileChanged", LIBRARY),
    never(
        "AssetFileDeleted",
        "file",
        "The file was deleted; what is made of the original is made again on request",
    ),
    follows("AssetFullSizeRecorded", MADE),
    follows("AssetImported", LIBRARY),
    back("AssetKeyValueRemoved", "keyValue", KEY_VALUES, UPDATE),
    back("AssetKeyValueSet", "keyValue", KEY_VALUES, UPDATE),
    follows("AssetLivePartsFound", MADE),
    back("AssetLocationChanged", "position", POSITION, UPDATE),
    back("AssetLocationReverted", "position", POSITION, UPDATE),
    follows("AssetMetadataRecorded", MADE),
    follows("AssetOriginalMoved", "says where the files lie; what is shown stays the same"),
    follows("AssetOriginalRestored", "the same bytes are there again"),
    follows("AssetPlaceFound", "follows from where it was taken"),
    follows("AssetProcessingFailed", MADE),
    follows("AssetProcessingRequested", "asks for work whose result is the same again"),
    never("AssetPurged", "deleted", PURGED),
    back("AssetRatingChanged", "rating", RATING, UPDATE),
    back("AssetRatingReverted", "rating", RATING, UPDATE),
    follows("AssetRelocated", LIBRARY),
    back("AssetRestored", "trashed", &["AssetTrashed"], TRASH),
    back("AssetTrashed", "trashed", &["AssetRestored"], TRASH),
    follows("AssetSidecarRefused", MADE),
    never("AssetSidecarReplaced", "sidecar", "The file beside the original is another one now"),
    follows("AssetSidecarWritten", MADE),
    follows("AssetStacked", STACK),
    follows("AssetUnstacked", STACK),
    back("AssetTagged", "tag", &["AssetUntagged"], TAG),
    back("AssetUntagged", "tag", &["AssetTagged"], TAG),
    follows("AssetTaggedByFile", MADE),
    follows("AssetUntaggedByFile", MADE),
    follows("AssetTextRead", MADE),
    follows("AssetThumbnailsRecorded", MADE),
    never("AssetUploaded", "uploaded", UPLOADED),
    follows("AssetVideoEncoded", MADE),
    follows("AssetVideoEncodingSkipped", MADE),
    follows("AssetWentOffline", LIBRARY),
    back("AssetVisibilityChanged", "visibility", &["AssetVisibilityChanged"], UPDATE),
];
