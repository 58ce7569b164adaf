//! What happened, in plain words.

use calotype_domain::admin_view::{AdminViewEvent, AdminViewed};
use calotype_domain::album::{AlbumEvent, AlbumOrder};
use calotype_domain::asset::{AssetEvent, DerivedFile, Stage};
use calotype_domain::batch::BatchEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::erasure::ErasureEvent;
use calotype_domain::hold::HoldEvent;
use calotype_domain::person::PersonEvent;
use calotype_domain::shared_link::{LinkTarget, SharedLinkEvent};
use calotype_domain::user::UserEvent;

/// What happened, in plain words, without personal values.
pub(super) fn sentence(what: &AnyEvent, event_type: &str) -> String {
    match what {
        AnyEvent::Asset(what) => of_asset(what),
        AnyEvent::Album(what) => of_album(what),
        AnyEvent::Person(what) => of_person_event(what),
        AnyEvent::User(what) => of_user(what).into(),
        AnyEvent::SharedLink(what) => of_link_event(what),
        AnyEvent::Batch(what) => of_batch(what),
        AnyEvent::LinkView(_) => "Somebody looked at the link".into(),
        AnyEvent::AdminView(AdminViewEvent::Viewed(viewed)) => of_admin_view(viewed),
        AnyEvent::Hold(what) => of_hold(what),
        AnyEvent::Erasure(ErasureEvent::Done(done)) => {
            format!("Erased: {} {}", done.erased.kind(), done.erased.id())
        }
        // The type of the others is words, too.
        _ => words(event_type),
    }
}

/// `SessionOpened` as words.
fn words(event_type: &str) -> String {
    let mut words = String::with_capacity(event_type.len() + 8);
    for (place, letter) in event_type.chars().enumerate() {
        if place > 0 && letter.is_ascii_uppercase() {
            words.push(' ');
            words.push(letter.to_ascii_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

fn of_batch(what: &BatchEvent) -> String {
    match what {
        BatchEvent::Opened(_) => "Import begun".into(),
        BatchEvent::Committed(done) => format!(
            "{} taken in, {} of them new",
            assets(done.entries.len()),
            done.entries.iter().filter(|entry| entry.is_new).count()
        ),
        BatchEvent::Closed(_) => "Import ended".into(),
        BatchEvent::RolledBack(back) if back.for_good => {
            format!("Rolled back: {} assets deleted for good", back.assets)
        }
        BatchEvent::RolledBack(back) => {
            format!("Rolled back: {} assets moved to the trash", back.assets)
        }
    }
}

fn of_admin_view(viewed: &AdminViewed) -> String {
    let what = viewed.what.as_str();
    match viewed.of {
        Some(user_id) => format!("An administrator or auditor looked at the {what} of {user_id}"),
        None => format!("An administrator or auditor looked at the {what} of everybody"),
    }
}

fn of_hold(what: &HoldEvent) -> String {
    match what {
        HoldEvent::Placed(placed) => {
            format!("Held: {} {} is not to be deleted", placed.held.kind(), placed.held.id())
        }
        HoldEvent::Released(released) => {
            format!("Hold released: {} {}", released.held.kind(), released.held.id())
        }
    }
}

fn of_album(what: &AlbumEvent) -> String {
    match what {
        AlbumEvent::Created(_) => "Album made".into(),
        AlbumEvent::Renamed(_) => "Renamed".into(),
        AlbumEvent::DescriptionChanged(_) => "Description changed".into(),
        AlbumEvent::OrderChanged(changed) => match changed.order {
            AlbumOrder::Asc => "Shown oldest first".into(),
            AlbumOrder::Desc => "Shown newest first".into(),
        },
        AlbumEvent::CoverChosen(chosen) => format!("Cover set to {}", chosen.asset_id),
        AlbumEvent::ActivityEnabled(_) => "Comments and likes switched on".into(),
        AlbumEvent::ActivityDisabled(_) => "Comments and likes switched off".into(),
        AlbumEvent::AssetsAdded(added) => format!("{} put in", assets(added.asset_ids.len())),
        AlbumEvent::AssetsRemoved(removed) => {
            format!("{} taken out", assets(removed.asset_ids.len()))
        }
        AlbumEvent::UserAdded(added) => {
            format!("Shared with {} as {}", added.user_id, added.role.as_str())
        }
        AlbumEvent::UserRoleChanged(changed) => {
            format!("{} became {}", changed.user_id, changed.role.as_str())
        }
        AlbumEvent::UserRemoved(removed) => format!("{} left or was removed", removed.user_id),
        AlbumEvent::CoverReset(_) => "Nobody's choice is on the cover any more".into(),
        AlbumEvent::Deleted(_) => "Album deleted".into(),
        AlbumEvent::Restored(_) => "Deletion taken back".into(),
        AlbumEvent::Purged(_) => "Deleted for good".into(),
    }
}

fn of_link_event(what: &SharedLinkEvent) -> String {
    match what {
        SharedLinkEvent::Created(created) => match &created.target {
            LinkTarget::Album(album_id) => format!("Link made to the album {album_id}"),
            LinkTarget::Assets(shown) => format!("Link made to {}", assets(shown.len())),
        },
        SharedLinkEvent::SlugChanged(_) => "Its name in addresses changed".into(),
        SharedLinkEvent::PasswordChanged(changed) => match changed.password_hash.known() {
            Some(None) => "No password is asked for any more".into(),
            Some(Some(_)) => "Another password is asked for".into(),
            None => "Password changed".into(),
        },
        SharedLinkEvent::DescriptionChanged(_) => "Description changed".into(),
        SharedLinkEvent::ExpiryChanged(changed) => match changed.expires_at {
            Some(end) => format!("Ends on {}", end.format("%Y-%m-%d %H:%M UTC")),
            None => "Does not end by itself any more".into(),
        },
        SharedLinkEvent::SwitchesChanged(changed) => {
            let switches = changed.switches;
            let may = |may: bool| if may { "on" } else { "off" };
            format!(
                "Uploads {}, downloads {}, metadata {}",
                may(switches.allow_upload),
                may(switches.allow_download),
                may(switches.show_metadata)
            )
        }
        SharedLinkEvent::AssetsAdded(added) => format!("{} added", assets(added.asset_ids.len())),
        SharedLinkEvent::AssetsRemoved(removed) => {
            format!("{} removed", assets(removed.asset_ids.len()))
        }
        SharedLinkEvent::Revoked(_) => "Link ended".into(),
        SharedLinkEvent::Restored(_) => "End of the link taken back".into(),
    }
}

fn assets(count: usize) -> String {
    if count == 1 { "1 asset".into() } else { format!("{count} assets") }
}

fn of_user(what: &UserEvent) -> &'static str {
    match what {
        UserEvent::Registered(_) => "Account made",
        UserEvent::Renamed(_) => "Renamed",
        UserEvent::EmailChanged(_) => "E-mail changed",
        UserEvent::PasswordChanged(_) => "Password changed",
        UserEvent::PasswordChangeRequired(changed) if changed.required => {
            "A new password was asked for"
        }
        UserEvent::PasswordChangeRequired(_) => "No new password is asked for any more",
        UserEvent::LicenseEntered(_) => "Product key entered",
        UserEvent::LicenseRemoved(_) => "Product key removed",
        UserEvent::AdminGranted(_) => "Became administrator",
        UserEvent::AdminRevoked(_) => "No longer administrator",
        UserEvent::QuotaChanged(_) => "Quota changed",
        UserEvent::StorageLabelChanged(_) => "Storage label changed",
        UserEvent::AvatarColorChanged(_) => "Colour of the avatar changed",
        UserEvent::PinSet(_) => "PIN set",
        UserEvent::PinRemoved(_) => "PIN removed, every session locked",
        UserEvent::PreferencesChanged(_) => "Preferences changed",
        UserEvent::PreferencesReverted(_) => "Preferences changed back",
        UserEvent::ProfileImageChanged(_) => "Profile picture set",
        UserEvent::ProfileImageRemoved(_) => "Profile picture removed",
        UserEvent::Onboarded(_) => "First steps done",
        UserEvent::OnboardingReset(_) => "First steps to be shown again",
        UserEvent::Deleted(_) => "Marked for deletion",
        UserEvent::Restored(_) => "Taken back from deletion",
        UserEvent::Purged(_) => "Deleted for good",
    }
}

fn of_asset(what: &AssetEvent) -> String {
    match what {
        AssetEvent::Uploaded(uploaded) => {
            format!("Uploaded, {} bytes", uploaded.original.size_bytes)
        }
        AssetEvent::MetadataRecorded(facts) if facts.date_from_file => format!(
            "Metadata read: taken {}{}",
            facts.local_date_time.format("%Y-%m-%d %H:%M"),
            facts.time_zone.as_ref().map(|zone| format!(" {zone}")).unwrap_or_default()
        ),
        AssetEvent::MetadataRecorded(_) => "Metadata read: the file names no date".into(),
        AssetEvent::ThumbnailsRecorded(made) => format!(
            "Thumbnail and preview made, {} x {} pixels",
            made.preview.width, made.preview.height
        ),
        AssetEvent::FullSizeRecorded(made) => match &made.image {
            Some(image) => {
                format!("Full-size picture made, {} x {} pixels", image.width, image.height)
            }
            None => "Full-size picture removed".into(),
        },
        AssetEvent::FileDeleted(deleted) => format!("{} deleted", file_words(deleted.file)),
        AssetEvent::Edited(edited) => {
            let words: Vec<&str> = edited.edits.iter().map(|edit| edit.does.word()).collect();
            format!("Edited: {}", words.join(", "))
        }
        AssetEvent::EditsRemoved(_) => "Edits removed".into(),
        AssetEvent::EditedPicturesRecorded(made) => format!(
            "Edited pictures made, {} x {} pixels",
            made.full_size.width, made.full_size.height
        ),
        AssetEvent::ProcessingFailed(failed) => {
            format!("{} failed: {}", stage_words(failed.stage), failed.reason)
        }
        AssetEvent::VideoEncoded(made) => format!(
            "Film encoded: {}, {} x {} pixels, {} bytes",
            made.video_codec, made.width, made.height, made.size_bytes
        ),
        AssetEvent::VideoEncodingSkipped(_) => "Film plays as it is".into(),
        AssetEvent::Embedded(found) => format!("Looked at by {}", found.model.name),
        AssetEvent::TextRead(read) => {
            format!("Read by {}: {} lines", read.reader.model.name, read.line_count)
        }
        AssetEvent::FacesSearched(searched) => {
            format!("Searched for faces by {}: {} found", searched.model.name, searched.found)
        }
        AssetEvent::ProcessingRequested(requested) if requested.stage == Stage::Video => {
            "Encoding the film asked for".into()
        }
        AssetEvent::ProcessingRequested(requested) if requested.stage == Stage::Embedding => {
            "Looking at what it shows asked for".into()
        }
        AssetEvent::ProcessingRequested(requested) if requested.stage == Stage::Text => {
            "Reading what is written in it asked for".into()
        }
        AssetEvent::ProcessingRequested(requested) if requested.stage == Stage::Faces => {
            "Searching for faces asked for".into()
        }
        AssetEvent::ProcessingRequested(requested) => {
            format!("{} asked for again", stage_words(requested.stage))
        }
        AssetEvent::FailureDismissed(dismissed) => {
            format!("{} left undone", stage_words(dismissed.stage))
        }
        AssetEvent::Favorited(_) => "Marked as a favorite".into(),
        AssetEvent::Unfavorited(_) => "No longer a favorite".into(),
        AssetEvent::VisibilityChanged(changed) => {
            format!("Moved to {}", changed.visibility.as_str())
        }
        AssetEvent::DescriptionChanged(_) => "Description changed".into(),
        AssetEvent::RatingChanged(changed) => changed
            .rating
            .map_or_else(|| "Rating removed".into(), |rating| format!("Rated {rating}")),
        AssetEvent::DateChanged(changed) => {
            format!("Date set to {}", changed.local_date_time.format("%Y-%m-%d %H:%M"))
        }
        AssetEvent::LocationChanged(_) => "Place set".into(),
        AssetEvent::PlaceFound(_) => "Place named".into(),
        AssetEvent::DateReverted(_) => "Date set back to the file's own".into(),
        AssetEvent::DescriptionReverted(_) => "Description set back to the file's own".into(),
        AssetEvent::RatingReverted(_) => "Rating set back to the file's own".into(),
        AssetEvent::LocationReverted(_) => "Place set back to the file's own".into(),
        AssetEvent::Tagged(_) => "Tagged".into(),
        AssetEvent::Untagged(_) => "Tag removed".into(),
        AssetEvent::TaggedByFile(_) => "Tagged by a keyword of its file".into(),
        AssetEvent::UntaggedByFile(_) => "Tag removed: its file has the keyword no more".into(),
        AssetEvent::Stacked(stacked) if stacked.is_primary => "Stands for its stack".into(),
        AssetEvent::Stacked(_) => "Put into a stack".into(),
        AssetEvent::Unstacked(_) => "Taken out of its stack".into(),
        AssetEvent::DuplicatesFound(_) => "Found to be a duplicate".into(),
        AssetEvent::DuplicatesDismissed(_) => "No longer held for a duplicate".into(),
        AssetEvent::KeyValueSet(_) => "A program's value was set".into(),
        AssetEvent::KeyValueRemoved(_) => "A program's value was removed".into(),
        AssetEvent::OriginalMoved(_) => "Moved to where the storage template says".into(),
        AssetEvent::SidecarReplaced(_) => "Sidecar replaced".into(),
        AssetEvent::SidecarWritten(_) => "Written beside the original".into(),
        AssetEvent::SidecarRefused(_) => "Could not be written beside the original".into(),
        AssetEvent::LivePartsFound(_) => "Found to be part of a live photo".into(),
        AssetEvent::FilmLinked(_) => "Film linked".into(),
        AssetEvent::FilmUnlinked(_) => "Film unlinked".into(),
        AssetEvent::Imported(imported) => {
            format!("Found in a library, {} bytes", imported.content.size_bytes)
        }
        AssetEvent::OriginalRestored(_) => "Its lost file was put back by an upload".into(),
        AssetEvent::Relocated(_) => "Its file lies elsewhere in its library".into(),
        AssetEvent::FileChanged(_) => "Its file was changed".into(),
        AssetEvent::WentOffline(_) => "Its file is missing".into(),
        AssetEvent::CameOnline(_) => "Its file is there again".into(),
        AssetEvent::Trashed(_) => "Moved to the trash".into(),
        AssetEvent::Restored(_) => "Restored from the trash".into(),
        AssetEvent::Purged(_) => "Deleted for good".into(),
    }
}

fn of_person_event(what: &PersonEvent) -> String {
    match what {
        PersonEvent::Created(_) => "Told apart from others".into(),
        PersonEvent::Named(named) if named.name.known().is_some_and(String::is_empty) => {
            "Name removed".into()
        }
        PersonEvent::Named(_) => "Named".into(),
        PersonEvent::BirthDateChanged(changed) => match changed.birth_date.known() {
            Some(None) => "Birth date removed".into(),
            Some(Some(_)) | None => "Birth date set".into(),
        },
        PersonEvent::Hidden(_) => "Hidden from lists".into(),
        PersonEvent::Shown(_) => "Shown in lists again".into(),
        PersonEvent::Favorited(_) => "Marked as a favorite".into(),
        PersonEvent::Unfavorited(_) => "No longer a favorite".into(),
        PersonEvent::ColorChanged(changed) => changed
            .color
            .as_ref()
            .map_or_else(|| "Colour removed".into(), |color| format!("Colour set to {color}")),
        PersonEvent::FeatureFaceChosen(chosen) => {
            format!("Feature photo chosen: {}", chosen.asset_id)
        }
        PersonEvent::FeatureFaceReset(_) => "Feature photo is nobody's choice any more".into(),
        PersonEvent::Parted(parted) => format!("Told apart from {} again", parted.absorbed_id),
        PersonEvent::Restored(_) => "Told apart from others again".into(),
        PersonEvent::Merged(merged) => format!("Merged with {}", merged.absorbed_id),
        PersonEvent::MergedInto(merged) => format!("Became part of {}", merged.into_id),
        PersonEvent::Deleted(_) => "Deleted; their faces are nobody's".into(),
        PersonEvent::ThumbnailRecorded(_) => "Picture made".into(),
        PersonEvent::ThumbnailFailed(failed) => {
            format!("Making a picture failed: {}", failed.reason)
        }
    }
}

const fn file_words(file: DerivedFile) -> &'static str {
    match file {
        DerivedFile::Thumbnail => "Thumbnail",
        DerivedFile::Preview => "Preview",
        DerivedFile::FullSize => "Full-size picture",
        DerivedFile::Sidecar => "Sidecar",
        DerivedFile::EncodedVideo => "Encoded film",
    }
}

const fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Metadata => "Reading metadata",
        Stage::Thumbnails => "Making pictures",
        Stage::Edits => "Making edited pictures",
        Stage::Video => "Encoding the film",
        Stage::Embedding => "Looking at what it shows",
        Stage::Text => "Reading what is written in it",
        Stage::Faces => "Searching for faces",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_in_words() {
        assert_eq!(words("SessionOpened"), "Session opened");
        assert_eq!(words("ApiKeyPermissionsChanged"), "Api key permissions changed");
    }
}
