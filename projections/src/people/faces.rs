//! Events of assets and of the faces on them to `faces_assets_v1` and `faces_v1`.
//!
//! The streams of one asset and its faces are folded together: whether a face counts depends on the asset.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use calotype_domain::PersonId;
use calotype_domain::asset::{AssetEvent, AssetFileDeleted, DerivedFile};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::faces::{Area, FaceFound, FacesDetected, FacesEvent};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::sums::{self, Delta};
use super::view::FaceRow;
use crate::error::ProjectionError;
use crate::event::Event;

/// What of an asset decides whether its faces count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct PhotoRow {
    asset_id: Uuid,
    revision: i64,
    faces_revision: i64,
    owner_id: Uuid,
    visibility: String,
    is_trashed: bool,
    has_preview: bool,
}

impl PhotoRow {
    fn is_shown(&self) -> bool {
        self.visibility == "timeline" && !self.is_trashed
    }
}

/// An asset with its faces, by their ids.
#[derive(Clone, Debug, Default, PartialEq)]
struct Photo {
    row: Option<PhotoRow>,
    faces: BTreeMap<Uuid, FaceRow>,
}

/// Applies events of assets and faces; says about whom something may look different.
pub(super) async fn apply_in_tx(
    tx: &mut PgConnection,
    events: &[&Event],
) -> Result<BTreeSet<Uuid>, ProjectionError> {
    if events.is_empty() {
        return Ok(BTreeSet::new());
    }
    let keys: BTreeSet<Uuid> = events.iter().map(|event| event.key).collect();
    let before = load_in_tx(tx, &keys.into_iter().collect::<Vec<_>>()).await?;
    let mut after = before.clone();
    for event in events {
        if let Some(photo) = after.get_mut(&event.key) {
            photo.evolve(event);
        }
    }
    stand_in_tx(tx, &mut after).await?;
    let changed: Vec<(&Photo, &Photo)> =
        before.values().zip(after.values()).filter(|(before, after)| before != after).collect();
    store_in_tx(tx, &changed).await?;
    let mut deltas: BTreeMap<Uuid, Delta> = BTreeMap::new();
    let mut touched = BTreeSet::new();
    for (before, after) in changed {
        before.count(-1, &mut deltas);
        after.count(1, &mut deltas);
        if before.faces != after.faces {
            let faces = before.faces.values().chain(after.faces.values());
            touched.extend(faces.filter_map(|face| face.person_id));
        }
    }
    sums::add_in_tx(tx, &deltas).await?;
    Ok(touched)
}

async fn load_in_tx(
    tx: &mut PgConnection,
    asset_ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Photo>, ProjectionError> {
    let mut photos: BTreeMap<Uuid, Photo> =
        asset_ids.iter().map(|asset_id| (*asset_id, Photo::default())).collect();
    let rows: Vec<PhotoRow> =
        sqlx::query_as("select * from faces_assets_v1 where asset_id = any($1)")
            .bind(asset_ids)
            .fetch_all(&mut *tx)
            .await?;
    // Of an asset that is new there are no faces yet.
    let known: Vec<Uuid> = rows.iter().map(|row| row.asset_id).collect();
    for row in rows {
        let asset_id = row.asset_id;
        photos.entry(asset_id).or_default().row = Some(row);
    }
    if known.is_empty() {
        return Ok(photos);
    }
    let faces: Vec<FaceRow> = sqlx::query_as("select * from faces_v1 where asset_id = any($1)")
        .bind(&known)
        .fetch_all(tx)
        .await?;
    for face in faces {
        photos.entry(face.asset_id).or_default().faces.insert(face.face_id, face);
    }
    Ok(photos)
}

/// Looks up whom those stand for whose faces these are said to be.
async fn stand_in_tx(
    tx: &mut PgConnection,
    photos: &mut BTreeMap<Uuid, Photo>,
) -> Result<(), ProjectionError> {
    let said: BTreeSet<Uuid> = photos
        .values()
        .flat_map(|photo| photo.faces.values())
        .filter_map(|face| face.said_person_id)
        .collect();
    if said.is_empty() {
        return Ok(());
    }
    let gone: Vec<(Uuid, Option<Uuid>)> =
        sqlx::query_as("select person_id, into_id from people_gone_v1 where person_id = any($1)")
            .bind(said.into_iter().collect::<Vec<_>>())
            .fetch_all(tx)
            .await?;
    let gone: HashMap<Uuid, Option<Uuid>> = gone.into_iter().collect();
    for face in photos.values_mut().flat_map(|photo| photo.faces.values_mut()) {
        face.person_id =
            face.said_person_id.and_then(|said| gone.get(&said).copied().unwrap_or(Some(said)));
    }
    Ok(())
}

async fn store_in_tx(
    tx: &mut PgConnection,
    changed: &[(&Photo, &Photo)],
) -> Result<(), ProjectionError> {
    let mut gone_photos: Vec<Uuid> = Vec::new();
    let mut gone_faces: Vec<Uuid> = Vec::new();
    let mut photos: Vec<&PhotoRow> = Vec::new();
    let mut faces: Vec<&FaceRow> = Vec::new();
    for (before, after) in changed {
        if before.row != after.row {
            gone_photos.extend(before.row.iter().map(|row| row.asset_id));
            photos.extend(&after.row);
        }
        let differs = |one: &FaceRow, other: &Photo| other.faces.get(&one.face_id) != Some(one);
        gone_faces.extend(
            before.faces.values().filter(|face| differs(face, after)).map(|face| face.face_id),
        );
        faces.extend(after.faces.values().filter(|face| differs(face, before)));
    }
    if !gone_photos.is_empty() {
        sqlx::query("delete from faces_assets_v1 where asset_id = any($1)")
            .bind(&gone_photos)
            .execute(&mut *tx)
            .await?;
    }
    if !gone_faces.is_empty() {
        sqlx::query("delete from faces_v1 where face_id = any($1)")
            .bind(&gone_faces)
            .execute(&mut *tx)
            .await?;
    }
    if !photos.is_empty() {
        sqlx::query(
            "insert into faces_assets_v1
             select * from json_populate_recordset(null::faces_assets_v1, $1::json)",
        )
        .bind(json("faces_assets_v1", &photos)?)
        .execute(&mut *tx)
        .await?;
    }
    if !faces.is_empty() {
        sqlx::query(
            "insert into faces_v1 select * from json_populate_recordset(null::faces_v1, $1::json)",
        )
        .bind(json("faces_v1", &faces)?)
        .execute(tx)
        .await?;
    }
    Ok(())
}

fn json<T: Serialize>(table: &'static str, rows: &[T]) -> Result<String, ProjectionError> {
    serde_json::to_string(rows).map_err(|source| ProjectionError::Row { table, source })
}

impl Photo {
    /// Adds what the faces count for, times `factor`.
    fn count(&self, factor: i64, deltas: &mut BTreeMap<Uuid, Delta>) {
        let mut here = BTreeSet::new();
        for face in self.faces.values().filter(|face| face.is_shown) {
            let Some(person_id) = face.person_id else { continue };
            let delta = deltas.entry(person_id).or_default();
            delta.faces += factor;
            if here.insert(person_id) {
                delta.assets += factor;
            }
        }
    }

    fn evolve(&mut self, event: &Event) {
        match &event.what {
            AnyEvent::Asset(what) => self.take_asset(what, event),
            AnyEvent::Faces(what) => self.take_faces(what, event),
            _ => {}
        }
        let Some(row) = &self.row else {
            self.faces.clear();
            return;
        };
        let (is_shown, has_preview) = (row.is_shown(), row.has_preview);
        for face in self.faces.values_mut() {
            face.is_shown = is_shown;
            face.has_preview = has_preview;
        }
    }

    fn take_asset(&mut self, what: &AssetEvent, event: &Event) {
        let Some(row) = &mut self.row else {
            if let AssetEvent::Uploaded(uploaded) = what {
                self.row = Some(PhotoRow {
                    asset_id: event.key,
                    revision: event.revision,
                    faces_revision: -1,
                    owner_id: uploaded.owner_id.uuid(),
                    visibility: uploaded.visibility.as_str().to_owned(),
                    is_trashed: false,
                    has_preview: false,
                });
            }
            return;
        };
        if row.revision >= event.revision {
            return;
        }
        match what {
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::ThumbnailsRecorded(_) => row.has_preview = true,
            AssetEvent::FileDeleted(AssetFileDeleted { file: DerivedFile::Preview }) => {
                row.has_preview = false;
            }
            AssetEvent::Purged(_) => {
                self.row = None;
                return;
            }
            // Nothing here depends on what these say, so the row need not be written for them.
            AssetEvent::Uploaded(_)
            | AssetEvent::CameOnline(_)
            | AssetEvent::FileChanged(_)
            | AssetEvent::Imported(_)
            | AssetEvent::Relocated(_)
            | AssetEvent::WentOffline(_)
            | AssetEvent::MetadataRecorded(_)
            | AssetEvent::Edited(_)
            | AssetEvent::EditedPicturesRecorded(_)
            | AssetEvent::EditsRemoved(_)
            | AssetEvent::FileDeleted(_)
            | AssetEvent::FullSizeRecorded(_)
            | AssetEvent::Embedded(_)
            | AssetEvent::TextRead(_)
            | AssetEvent::FacesSearched(_)
            | AssetEvent::FailureDismissed(_)
            | AssetEvent::ProcessingFailed(_)
            | AssetEvent::ProcessingRequested(_)
            | AssetEvent::Favorited(_)
            | AssetEvent::Unfavorited(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::DateChanged(_)
            | AssetEvent::LocationChanged(_)
            | AssetEvent::PlaceFound(_)
            | AssetEvent::DateReverted(_)
            | AssetEvent::DescriptionReverted(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::KeyValueRemoved(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::LocationReverted(_)
            | AssetEvent::RatingReverted(_)
            | AssetEvent::FilmLinked(_)
            | AssetEvent::FilmUnlinked(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::OriginalMoved(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::SidecarWritten(_)
            | AssetEvent::VideoEncoded(_)
            | AssetEvent::VideoEncodingSkipped(_)
            | AssetEvent::Stacked(_)
            | AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Unstacked(_)
            | AssetEvent::Untagged(_) => return,
        }
        row.revision = event.revision;
    }

    fn take_faces(&mut self, what: &FacesEvent, event: &Event) {
        let Some(row) = &mut self.row else { return };
        if row.faces_revision >= event.revision {
            return;
        }
        row.faces_revision = event.revision;
        let owner_id = row.owner_id;
        let says = |face: Option<&mut FaceRow>, person_id: PersonId, is_confirmed: bool| {
            if let Some(face) = face {
                face.said_person_id = Some(person_id.uuid());
                face.person_id = None;
                face.is_confirmed = is_confirmed;
            }
        };
        match what {
            FacesEvent::Detected(detected) => {
                for face_id in &detected.lost {
                    self.faces.remove(&face_id.uuid());
                }
                for found in detected.faces.known().into_iter().flatten() {
                    self.find(found, detected, owner_id, event);
                }
            }
            FacesEvent::Assigned(assigned) => {
                for guess in &assigned.faces {
                    let face = self.faces.get_mut(&guess.face_id.uuid());
                    says(face, guess.person_id, false);
                }
            }
            FacesEvent::Unassigned(unassigned) => {
                for face_id in &unassigned.faces {
                    if let Some(face) = self.faces.get_mut(&face_id.uuid()) {
                        face.said_person_id = None;
                        face.person_id = None;
                        face.is_confirmed = false;
                    }
                }
            }
            FacesEvent::Drawn(drawn) => {
                let area = drawn.area.known().copied().flatten();
                let mut face = nobodys(drawn.face_id.uuid(), owner_id, event);
                face.is_drawn = true;
                face.image_width = i64::from(drawn.size.width);
                face.image_height = i64::from(drawn.size.height);
                place(&mut face, area);
                says(Some(&mut face), drawn.person_id, true);
                self.faces.insert(face.face_id, face);
            }
            FacesEvent::Confirmed(confirmed) => {
                let face = self.faces.get_mut(&confirmed.face_id.uuid());
                says(face, confirmed.person_id, true);
            }
            FacesEvent::Rejected(rejected) => {
                if let Some(face) = self.faces.get_mut(&rejected.face_id.uuid())
                    && face.said_person_id == Some(rejected.person_id.uuid())
                {
                    face.said_person_id = None;
                    face.person_id = None;
                    face.is_confirmed = false;
                }
            }
            FacesEvent::Removed(removed) => {
                self.faces.remove(&removed.face_id.uuid());
            }
            FacesEvent::Withdrawn(withdrawn) => {
                self.faces.remove(&withdrawn.face_id.uuid());
            }
            FacesEvent::Restored(restored) => {
                let face = self
                    .faces
                    .entry(restored.face_id.uuid())
                    .or_insert_with(|| nobodys(restored.face_id.uuid(), owner_id, event));
                face.is_drawn = restored.is_drawn;
                face.is_confirmed = restored.is_confirmed;
                face.image_width = i64::from(restored.size.width);
                face.image_height = i64::from(restored.size.height);
                face.said_person_id = restored.person_id.map(PersonId::uuid);
                face.person_id = None;
                place(face, restored.area.known().copied().flatten());
            }
        }
    }

    fn find(&mut self, found: &FaceFound, detected: &FacesDetected, owner_id: Uuid, event: &Event) {
        let face = self
            .faces
            .entry(found.face_id.uuid())
            .or_insert_with(|| nobodys(found.face_id.uuid(), owner_id, event));
        if !face.is_drawn && !face.is_confirmed {
            face.image_width = i64::from(detected.size.width);
            face.image_height = i64::from(detected.size.height);
            place(face, Some(found.area));
        }
    }
}

fn nobodys(face_id: Uuid, owner_id: Uuid, event: &Event) -> FaceRow {
    FaceRow {
        face_id,
        asset_id: event.key,
        owner_id,
        said_person_id: None,
        person_id: None,
        is_drawn: false,
        is_confirmed: false,
        x1: None,
        y1: None,
        x2: None,
        y2: None,
        image_width: 0,
        image_height: 0,
        is_shown: false,
        has_preview: false,
        created_at: event.recorded_at,
    }
}

fn place(face: &mut FaceRow, area: Option<Area>) {
    face.x1 = area.map(|area| area.left);
    face.y1 = area.map(|area| area.top);
    face.x2 = area.map(|area| area.right);
    face.y2 = area.map(|area| area.bottom);
}
