//! Which lines of an asset an event changes.

use calotype_domain::asset::AssetEvent;

/// Which of an asset's lines an event changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Touches {
    Nothing,
    Asset,
    Exif,
    Both,
    Gone,
}

/// What an event changes.
pub(super) fn touches(what: &AssetEvent) -> Touches {
    match what {
        AssetEvent::Uploaded(_)
        | AssetEvent::FileChanged(_)
        | AssetEvent::Imported(_)
        | AssetEvent::MetadataRecorded(_)
        | AssetEvent::DateChanged(_)
        | AssetEvent::DateReverted(_) => Touches::Both,
        AssetEvent::ThumbnailsRecorded(_)
        | AssetEvent::Edited(_)
        | AssetEvent::EditedPicturesRecorded(_)
        | AssetEvent::EditsRemoved(_)
        | AssetEvent::Favorited(_)
        | AssetEvent::Unfavorited(_)
        | AssetEvent::VisibilityChanged(_)
        | AssetEvent::Trashed(_)
        | AssetEvent::Restored(_)
        | AssetEvent::Stacked(_)
        | AssetEvent::Unstacked(_)
        | AssetEvent::FilmLinked(_)
        | AssetEvent::FilmUnlinked(_)
        | AssetEvent::Relocated(_) => Touches::Asset,
        AssetEvent::DescriptionChanged(_)
        | AssetEvent::RatingChanged(_)
        | AssetEvent::LocationChanged(_)
        | AssetEvent::PlaceFound(_)
        | AssetEvent::DescriptionReverted(_)
        | AssetEvent::RatingReverted(_)
        | AssetEvent::LocationReverted(_) => Touches::Exif,
        AssetEvent::ProcessingFailed(_)
        | AssetEvent::CameOnline(_)
        | AssetEvent::WentOffline(_)
        | AssetEvent::FileDeleted(_)
        | AssetEvent::FullSizeRecorded(_)
        | AssetEvent::Embedded(_)
        | AssetEvent::TextRead(_)
        | AssetEvent::FacesSearched(_)
        | AssetEvent::ProcessingRequested(_)
        | AssetEvent::FailureDismissed(_)
        | AssetEvent::DuplicatesDismissed(_)
        | AssetEvent::DuplicatesFound(_)
        | AssetEvent::KeyValueRemoved(_)
        | AssetEvent::KeyValueSet(_)
        | AssetEvent::LivePartsFound(_)
        | AssetEvent::OriginalMoved(_)
        | AssetEvent::OriginalRestored(_)
        | AssetEvent::SidecarRefused(_)
        | AssetEvent::SidecarReplaced(_)
        | AssetEvent::SidecarWritten(_)
        | AssetEvent::VideoEncoded(_)
        | AssetEvent::VideoEncodingSkipped(_)
        | AssetEvent::Tagged(_)
        | AssetEvent::TaggedByFile(_)
        | AssetEvent::UntaggedByFile(_)
        | AssetEvent::Untagged(_) => Touches::Nothing,
        AssetEvent::Purged(_) => Touches::Gone,
    }
}
