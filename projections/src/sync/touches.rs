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
        | AssetEvent::MetadataRecorded(_)
        | AssetEvent::DateChanged(_)
        | AssetEvent::DateReverted(_) => Touches::Both,
        AssetEvent::ThumbnailsRecorded(_)
        | AssetEvent::Favorited(_)
        | AssetEvent::Unfavorited(_)
        | AssetEvent::VisibilityChanged(_)
        | AssetEvent::Trashed(_)
        | AssetEvent::Restored(_)
        | AssetEvent::Stacked(_)
        | AssetEvent::Unstacked(_) => Touches::Asset,
        AssetEvent::DescriptionChanged(_)
        | AssetEvent::RatingChanged(_)
        | AssetEvent::LocationChanged(_)
        | AssetEvent::PlaceFound(_)
        | AssetEvent::DescriptionReverted(_)
        | AssetEvent::RatingReverted(_)
        | AssetEvent::LocationReverted(_) => Touches::Exif,
        AssetEvent::ProcessingFailed(_)
        | AssetEvent::ProcessingRequested(_)
        | AssetEvent::FailureDismissed(_)
        | AssetEvent::DuplicatesDismissed(_)
        | AssetEvent::DuplicatesFound(_)
        | AssetEvent::KeyValueRemoved(_)
        | AssetEvent::KeyValueSet(_)
        | AssetEvent::SidecarReplaced(_)
        | AssetEvent::Tagged(_)
        | AssetEvent::TaggedByFile(_)
        | AssetEvent::UntaggedByFile(_)
        | AssetEvent::Untagged(_) => Touches::Nothing,
        AssetEvent::Purged(_) => Touches::Gone,
    }
}
