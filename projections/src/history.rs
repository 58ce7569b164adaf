//! The history of an asset, an album, a person, a shared link or an account: its events, as they were recorded, with a
//! sentence for each.
//!
//! Read from the log itself, not from a table: the log is the truth.

use calotype_domain::album::{AlbumEvent, AlbumOrder};
use calotype_domain::asset::{AssetEvent, DerivedFile, Stage};
use calotype_domain::catalogue::{self, AnyEvent};
use calotype_domain::person::PersonEvent;
use calotype_domain::shared_link::{LinkTarget, SharedLinkEvent};
use calotype_domain::user::UserEvent;
use calotype_domain::{AssetId, PersonId, SharedLinkId, UserId};
pub use calotype_eventstore::Recorded;
use calotype_eventstore::{EventStore, Payload, Revision, StreamId};
use serde_json::Value;

use crate::error::ProjectionError;

/// Events read at once.
const PAGE_EVENTS: u32 = 1_000;

/// One event of a history, with its sentence.
#[derive(Clone, Debug)]
pub struct Told {
    /// The event as it was recorded, personal values readable.
    pub recorded: Recorded,
    /// Its payload, without what somebody logs in with.
    pub data: Value,
    /// What happened, in plain words.
    pub sentence: String,
    /// Which program derived something, in which version, from bytes with which BLAKE3.
    pub derived_from: Option<(String, u32, String)>,
}

/// Payload members that no history shows, sealed or not: what somebody logs in with.
const SECRETS: [&str; 2] = ["password_hash", "pin_hash"];

/// In whose library a person is or was, and every event of them in order; `None` when there is no event.
///
/// # Errors
/// When the log cannot be read or an event not be decoded.
pub async fn of_person(
    store: &dyn EventStore,
    person_id: PersonId,
) -> Result<Option<(UserId, Vec<Told>)>, ProjectionError> {
    let events = of_stream(store, &StreamId::new("person", person_id)).await?;
    let owner_id = events
        .first()
        .and_then(|created| created.data.get("owner_id")?.as_str()?.parse::<UserId>().ok());
    Ok(owner_id.map(|owner_id| (owner_id, events)))
}

/// Who made a shared link, and every event of it in order, without the key that opens it; `None` when there is no
/// event.
///
/// # Errors
/// When the log cannot be read or an event not be decoded.
pub async fn of_link(
    store: &dyn EventStore,
    link_id: SharedLinkId,
) -> Result<Option<(UserId, Vec<Told>)>, ProjectionError> {
    let mut events = of_stream(store, &StreamId::new("shared_link", link_id)).await?;
    for told in &mut events {
        if let Some(members) = told.data.as_object_mut() {
            members.remove("key");
        }
        told.recorded.payload = Payload::from(&told.data);
    }
    let owner_id = events
        .first()
        .and_then(|created| created.data.get("owner_id")?.as_str()?.parse::<UserId>().ok());
    Ok(owner_id.map(|owner_id| (owner_id, events)))
}

/// Whose an asset is or was, whatever became of it; `None` when there never was one.
///
/// # Errors
/// When the log cannot be read.
pub async fn owner_of_asset(
    store: &dyn EventStore,
    asset_id: AssetId,
) -> Result<Option<UserId>, ProjectionError> {
    let stream_id = StreamId::new("asset", asset_id);
    let first = store.read_stream(&stream_id, Revision::FIRST, 1).await?;
    let payload = first.first().and_then(|uploaded| uploaded.payload.to_value().ok());
    Ok(payload.and_then(|payload| payload.get("owner_id")?.as_str()?.parse().ok()))
}

/// Every event of a stream in order; empty when there is none.
///
/// # Errors
/// When the log cannot be read or an event not be decoded.
pub async fn of_stream(
    store: &dyn EventStore,
    stream_id: &StreamId,
) -> Result<Vec<Told>, ProjectionError> {
    let mut told = Vec::new();
    let mut from = Revision::new(0);
    loop {
        let page = store.read_stream(stream_id, from, PAGE_EVENTS).await?;
        let Some(last) = page.last().map(|recorded| recorded.revision) else { return Ok(told) };
        for mut recorded in page {
            let what = catalogue::decode(
                recorded.stream_id.aggregate(),
                &recorded.event_type,
                recorded.version,
                recorded.payload.as_str(),
            )
            .map_err(|source| ProjectionError::Decode { event_id: recorded.event_id, source })?;
            let mut data = recorded.payload.to_value().unwrap_or_default();
            if let Some(members) = data.as_object_mut() {
                members.retain(|name, _| !SECRETS.contains(&name.as_str()));
            }
            recorded.payload = Payload::from(&data);
            told.push(Told {
                sentence: sentence(&what),
                derived_from: derived_from(&what),
                data,
                recorded,
            });
        }
        from = Revision::new(last.get() + 1);
    }
}

fn derived_from(what: &AnyEvent) -> Option<(String, u32, String)> {
    if let AnyEvent::Person(PersonEvent::ThumbnailRecorded(made)) = what {
        let processor = &made.processor;
        return Some((processor.name.clone(), processor.version, made.input_blake3.clone()));
    }
    let AnyEvent::Asset(what) = what else { return None };
    let (processor, input) = match what {
        AssetEvent::MetadataRecorded(facts) => (&facts.processor, &facts.input_blake3),
        AssetEvent::ThumbnailsRecorded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::EditedPicturesRecorded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::FullSizeRecorded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::ProcessingFailed(failed) => (&failed.processor, &failed.input_blake3),
        AssetEvent::VideoEncoded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::VideoEncodingSkipped(left) => (&left.processor, &left.input_blake3),
        _ => return None,
    };
    Some((processor.name.clone(), processor.version, input.clone()))
}

/// What happened, in plain words, without personal values.
fn sentence(what: &AnyEvent) -> String {
    match what {
        AnyEvent::Asset(what) => of_asset(what),
        AnyEvent::Album(what) => of_album(what),
        AnyEvent::Person(what) => of_person_event(what),
        AnyEvent::User(what) => of_user(what).into(),
        AnyEvent::SharedLink(what) => of_link_event(what),
        _ => "Something happened to another object".into(),
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
