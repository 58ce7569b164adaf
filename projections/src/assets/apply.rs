//! Events of assets to rows of `assets_v1`. What a person said stands above what a file says.

use async_trait::async_trait;
use calotype_domain::asset::{
    AssetEditedPicturesRecorded, AssetEvent, AssetMetadataRecorded, AssetUploaded, DerivedFile,
    MediaKind, Position, Stage, Visibility, sidecar_place,
};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::{AssetId, Sealed};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::view::{AssetRow, Edited, EditedPictures};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `assets_v1`.
pub struct AssetsProjection;

#[async_trait]
impl Projection for AssetsProjection {
    fn name(&self) -> &'static str {
        "assets"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_in_tx::<Assets>(tx, events).await.map(drop)
    }
}

/// Rows of `assets_v1`.
pub(crate) struct Assets;

impl Fold for Assets {
    fold_sql!("assets_v1", "asset_id");
    type Row = AssetRow;

    fn key(row: &AssetRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &AssetRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<AssetRow>, event: &Event) -> Option<AssetRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => return Some(fresh(uploaded, event)),
            (None, _) => return None,
            (Some(row), _) => row,
        };
        if is_for_searches_alone(what) {
            return Some(row);
        }
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            AssetEvent::Uploaded(_) => {}
            AssetEvent::MetadataRecorded(facts) => take_facts(&mut row, facts),
            AssetEvent::ThumbnailsRecorded(made) => {
                row.thumbhash = Some(made.thumbhash.clone());
                row.thumbnail_key = Some(made.thumbnail.key.clone());
                row.preview_key = Some(made.preview.key.clone());
                row.display_width = Some(pixels(made.display_width));
                row.display_height = Some(pixels(made.display_height));
                row.failure = None;
            }
            AssetEvent::FullSizeRecorded(made) => {
                row.full_size_key = made.image.as_ref().map(|image| image.key.clone());
            }
            AssetEvent::Edited(edited) => {
                let pictures = row.edited.take().and_then(|former| former.0.pictures);
                row.edited = Some(Json(Edited { edits: edited.edits.clone(), pictures }));
            }
            AssetEvent::EditedPicturesRecorded(made) => {
                if let Some(edited) = &mut row.edited {
                    edited.pictures = Some(edited_pictures(made));
                }
            }
            AssetEvent::EditsRemoved(_) => row.edited = None,
            AssetEvent::ProcessingFailed(failed) => row.failure = Some(failed.reason.clone()),
            AssetEvent::ProcessingRequested(_) | AssetEvent::FailureDismissed(_) => {
                row.failure = None;
            }
            AssetEvent::Favorited(_) => row.is_favorite = true,
            AssetEvent::Unfavorited(_) => row.is_favorite = false,
            AssetEvent::VisibilityChanged(changed) => set_visibility(&mut row, changed.visibility),
            AssetEvent::DescriptionChanged(changed) => {
                row.description = changed.description.known().cloned().unwrap_or_default();
                row.description_by_person = true;
            }
            AssetEvent::DescriptionReverted(reverted) => {
                row.description = reverted.description.known().cloned().unwrap_or_default();
                row.description_by_person = false;
            }
            AssetEvent::RatingChanged(changed) => {
                row.rating = changed.rating.map(i32::from);
                row.rating_by_person = true;
            }
            AssetEvent::RatingReverted(reverted) => {
                row.rating = reverted.rating.map(i32::from);
                row.rating_by_person = false;
            }
            AssetEvent::DateChanged(changed) => {
                row.taken_at = changed.taken_at;
                row.local_date_time = changed.local_date_time;
                row.time_zone.clone_from(&changed.time_zone);
                row.date_by_person = true;
            }
            AssetEvent::DateReverted(reverted) => {
                row.taken_at = reverted.taken_at;
                row.local_date_time = reverted.local_date_time;
                row.time_zone.clone_from(&reverted.time_zone);
                row.date_by_person = false;
            }
            AssetEvent::LocationReverted(reverted) => {
                set_position(&mut row, reverted.position.known().and_then(Option::as_ref));
                row.position_by_person = false;
            }
            AssetEvent::SidecarReplaced(replaced) => {
                row.sidecar_key = Some(replaced.sidecar.key.clone());
            }
            AssetEvent::SidecarWritten(written) => {
                let sidecar = written.sidecar.as_ref();
                row.sidecar_key = sidecar.map(|it| sidecar_place(&row.original_key, &it.key));
            }
            AssetEvent::OriginalMoved(moved) => {
                if let Some(place) = moved.place.known() {
                    row.original_key.clone_from(&place.original_key);
                    if place.sidecar_key.is_some() {
                        row.sidecar_key.clone_from(&place.sidecar_key);
                    }
                }
            }
            AssetEvent::FileDeleted(deleted) => match deleted.file {
                DerivedFile::Thumbnail => row.thumbnail_key = None,
                DerivedFile::Preview => row.preview_key = None,
                DerivedFile::FullSize => row.full_size_key = None,
                DerivedFile::Sidecar => row.sidecar_key = None,
                // Kept with the films.
                DerivedFile::EncodedVideo => {}
            },
            AssetEvent::FilmLinked(linked) => row.live_photo_video_id = Some(linked.film_id.uuid()),
            AssetEvent::FilmUnlinked(_) => row.live_photo_video_id = None,
            AssetEvent::Imported(imported) => {
                row.library_id = Some(imported.library_id.uuid());
                set_path(&mut row, imported.path.known());
            }
            AssetEvent::Relocated(relocated) => {
                set_path(&mut row, relocated.path.known());
                row.file_modified_at = relocated.modified_at;
            }
            AssetEvent::FileChanged(changed) => {
                row.size_bytes = bytes(changed.content.size_bytes);
                row.blake3.clone_from(&changed.content.blake3);
                row.file_modified_at = changed.content.modified_at;
            }
            AssetEvent::WentOffline(_) => row.is_offline = true,
            AssetEvent::CameOnline(_) => row.is_offline = false,
            // Kept by other projections; that it changed shows here.
            AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Untagged(_)
            | AssetEvent::Stacked(_)
            | AssetEvent::Unstacked(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::KeyValueRemoved(_)
            | AssetEvent::Embedded(_)
            | AssetEvent::TextRead(_)
            | AssetEvent::FacesSearched(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::VideoEncoded(_)
            | AssetEvent::VideoEncodingSkipped(_) => {}
            AssetEvent::LocationChanged(changed) => {
                set_position(&mut row, changed.position.known());
                row.position_by_person = true;
            }
            AssetEvent::PlaceFound(found) => {
                let place = found.place.known();
                row.city = place.and_then(|place| place.city.clone());
                row.state = place.and_then(|place| place.state.clone());
                row.country = place.and_then(|place| place.country.clone());
            }
            AssetEvent::Trashed(_) => row.trashed_at = Some(event.recorded_at),
            AssetEvent::Restored(_) => row.trashed_at = None,
            AssetEvent::Purged(_) => return None,
        }
        Some(row)
    }
}

const fn is_of_models(stage: Stage) -> bool {
    matches!(stage, Stage::Embedding | Stage::Text | Stage::Faces)
}

/// Whether an event tells of what models do: for its owner nothing about the asset is other than before.
fn is_for_searches_alone(what: &AssetEvent) -> bool {
    match what {
        AssetEvent::Embedded(_) | AssetEvent::TextRead(_) | AssetEvent::FacesSearched(_) => true,
        AssetEvent::ProcessingRequested(requested) => is_of_models(requested.stage),
        AssetEvent::ProcessingFailed(failed) => is_of_models(failed.stage),
        AssetEvent::FailureDismissed(dismissed) => is_of_models(dismissed.stage),
        _ => false,
    }
}

fn fresh(uploaded: &AssetUploaded, event: &Event) -> AssetRow {
    AssetRow {
        asset_id: event.key,
        revision: event.revision,
        owner_id: uploaded.owner_id.uuid(),
        is_video: uploaded.kind == MediaKind::Video,
        original_key: uploaded.original.key.clone(),
        size_bytes: bytes(uploaded.original.size_bytes),
        sha1: uploaded.original.sha1.clone(),
        blake3: uploaded.original.blake3.clone(),
        sidecar_key: uploaded.sidecar.as_ref().map(|sidecar| sidecar.key.clone()),
        file_name: uploaded
            .file
            .known()
            .map(|file| file.original_file_name.clone())
            .unwrap_or_default(),
        mime_type: None,
        file_created_at: uploaded.file_created_at,
        file_modified_at: uploaded.file_modified_at,
        taken_at: uploaded.file_created_at,
        local_date_time: uploaded.file_created_at.naive_utc(),
        time_zone: None,
        date_by_person: false,
        is_favorite: uploaded.is_favorite,
        visibility: uploaded.visibility.as_str().to_owned(),
        trashed_at: None,
        duration_ms: uploaded.duration_ms.map(bytes),
        live_photo_video_id: uploaded.live_photo_video_id.map(AssetId::uuid),
        width: None,
        height: None,
        display_width: None,
        display_height: None,
        orientation: None,
        make: None,
        model: None,
        lens_model: None,
        f_number: None,
        focal_length_mm: None,
        iso: None,
        exposure_time: None,
        fps: None,
        projection_type: None,
        rating: None,
        rating_by_person: false,
        description: String::new(),
        description_by_person: false,
        latitude: None,
        longitude: None,
        position_by_person: false,
        city: None,
        state: None,
        country: None,
        thumbhash: None,
        thumbnail_key: None,
        preview_key: None,
        has_metadata: false,
        failure: None,
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
        edited: None,
        full_size_key: None,
        library_id: None,
        is_offline: false,
    }
}

/// A file of a library is called what it is called where it lies.
fn set_path(row: &mut AssetRow, path: Option<&String>) {
    if let Some(path) = path {
        path.clone_into(&mut row.original_key);
        path.rsplit('/').next().unwrap_or_default().clone_into(&mut row.file_name);
    }
}

fn edited_pictures(made: &AssetEditedPicturesRecorded) -> EditedPictures {
    EditedPictures {
        thumbhash: made.thumbhash.clone(),
        thumbnail_key: made.thumbnail.key.clone(),
        preview_key: made.preview.key.clone(),
        full_size_key: made.full_size.key.clone(),
        width: pixels(made.full_size.width),
        height: pixels(made.full_size.height),
    }
}

fn take_facts(row: &mut AssetRow, facts: &AssetMetadataRecorded) {
    row.has_metadata = true;
    row.mime_type = Some(facts.mime_type.clone());
    row.width = facts.width.map(pixels);
    row.height = facts.height.map(pixels);
    row.orientation = facts.orientation.map(i32::from);
    row.make.clone_from(&facts.make);
    row.model.clone_from(&facts.model);
    row.lens_model.clone_from(&facts.lens_model);
    row.f_number = facts.f_number;
    row.focal_length_mm = facts.focal_length_mm;
    row.iso = facts.iso.map(pixels);
    row.exposure_time.clone_from(&facts.exposure_time);
    row.fps = facts.fps;
    row.projection_type.clone_from(&facts.projection_type);
    if let Some(duration_ms) = facts.duration_ms {
        row.duration_ms = Some(bytes(duration_ms));
    }
    if !row.date_by_person {
        row.taken_at = facts.taken_at;
        row.local_date_time = facts.local_date_time;
        row.time_zone.clone_from(&facts.time_zone);
    }
    if !row.rating_by_person {
        row.rating = facts.rating.map(i32::from);
    }
    let personal = facts.personal.known();
    if !row.description_by_person {
        row.description =
            personal.and_then(|personal| personal.description.clone()).unwrap_or_default();
    }
    if !row.position_by_person {
        let position = personal.and_then(|personal| personal.position);
        set_position(row, position.as_ref());
    }
    if matches!(facts.personal, Sealed::Forgotten) {
        set_position(row, None);
    }
}

/// What the old position lies in does not hold for a new one; what the new one lies in is told after it.
fn set_position(row: &mut AssetRow, position: Option<&Position>) {
    let (latitude, longitude) =
        position.map(|position| (position.latitude, position.longitude)).unzip();
    if (row.latitude, row.longitude) != (latitude, longitude) {
        (row.city, row.state, row.country) = (None, None, None);
    }
    (row.latitude, row.longitude) = (latitude, longitude);
}

fn set_visibility(row: &mut AssetRow, visibility: Visibility) {
    visibility.as_str().clone_into(&mut row.visibility);
}

fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn pixels(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
