//! Whose all faces would be by a model that is tried: found as it found them, compared with one another within what
//! people said, and not recorded.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use calotype_commands::followed_faces::follow;
use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_domain::faces::{
    Detection, FaceAssignment, Faces, FacesCommand, FacesEvent, Found, Guesses,
};
use calotype_domain::model::unpack;
use calotype_domain::trial::{AssetTrialEvent, ModelTrialBegun};
use calotype_domain::{AssetId, FaceId, ModelTask, PersonId};
use calotype_eventstore::{Revision, StreamId};
use calotype_projections::embeddings::Codes;
use calotype_projections::face_vectors::{FaceStanding, Gallery};
use calotype_projections::models::ProposedFace;
use tracing::info;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::recognise::{Known, Rules, Target, rules, whole};
use crate::worker::Worker;

/// Photos that are read at once.
const CHUNK_PHOTOS: usize = 100;
/// Events of one asset's trials that are read.
const EVENTS_MAX: u32 = 1_000;
/// Bytes of a number in an attachment.
const NUMBER_BYTES: usize = 2;

/// The faces of one photo as a model that was tried found them.
#[derive(Clone, Debug)]
pub(super) struct TriedPhoto {
    pub(super) asset_id: Uuid,
    pub(super) detection: Detection,
    pub(super) vectors: Option<Vec<u8>>,
}

/// What is gathered of a library before its faces are compared.
#[derive(Default)]
struct Library {
    gallery: Gallery,
    known: Vec<Option<Known>>,
    photos: Vec<(Uuid, Detection)>,
}

impl Worker {
    /// Makes the proposal of a trial anew.
    pub(super) async fn propose(
        &self,
        trial_id: Uuid,
        begun: &ModelTrialBegun,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        let Some(rules) = rules(&settings) else { return Ok(()) };
        self.forget_proposal(trial_id).await?;
        let (task, model_id) = (ModelTask::FacialRecognition.as_str(), begun.model.id());
        for owner_id in self.queries.tried_owners(task, model_id).await? {
            let is_meant = begun.user_ids.is_empty()
                || begun.user_ids.iter().any(|user_id| user_id.uuid() == owner_id);
            if is_meant {
                self.propose_library(trial_id, begun, owner_id, rules).await?;
            }
        }
        Ok(())
    }

    async fn propose_library(
        &self,
        trial_id: Uuid,
        begun: &ModelTrialBegun,
        owner_id: Uuid,
        rules: Rules,
    ) -> Result<(), ProcessorError> {
        let standings = self.queries.face_standings_of(owner_id).await?;
        let standings: HashMap<Uuid, FaceStanding> =
            standings.into_iter().map(|face| (face.face_id, face)).collect();
        let spoken: HashSet<Uuid> =
            self.queries.people_spoken_of(owner_id).await?.into_iter().collect();
        let mut library = Library::default();
        let mut after = Uuid::nil();
        loop {
            let limit = i64::try_from(CHUNK_PHOTOS).unwrap_or(i64::MAX);
            let task = ModelTask::FacialRecognition.as_str();
            let owner = Some(owner_id);
            let ids = self.queries.tried_after(task, begun.model.id(), owner, after, limit).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            self.gather(begun, &ids, &standings, &mut library).await?;
        }
        let Library { gallery, known, photos } = library;
        let comparing = tokio::task::spawn_blocking(move || {
            let targets = whole(&gallery, &known, &spoken, rules);
            gallery.face_ids().iter().copied().zip(targets).collect::<HashMap<Uuid, Target>>()
        });
        // The program ends.
        let Ok(targets) = comparing.await else {
            return Err(ProcessorError::NotYet { after: crate::looking::EVERY });
        };
        info!(trial.id = %trial_id, user.id = %owner_id, faces = targets.len(), "compared all faces of a library for a proposal");
        for some in photos.chunks(CHUNK_PHOTOS) {
            let faces = self.as_settled(some, owner_id, &targets, &standings).await?;
            self.keep_proposal(trial_id, &faces).await?;
        }
        Ok(())
    }

    /// Takes the faces of some photos in as they would be there.
    async fn gather(
        &self,
        begun: &ModelTrialBegun,
        asset_ids: &[Uuid],
        standings: &HashMap<Uuid, FaceStanding>,
        library: &mut Library,
    ) -> Result<(), ProcessorError> {
        let shown: HashSet<Uuid> = self.queries.shown_of(asset_ids).await?.into_iter().collect();
        let there = self.faces_of(asset_ids).await?;
        for (asset_id, faces) in asset_ids.iter().zip(there) {
            let Some(tried) = self.tried_faces(*asset_id, begun.model.id()).await? else {
                continue;
            };
            let command = FacesCommand::RecordDetection(Box::new(tried.detection.clone()));
            let events = faces.decide(&command).map_err(refused)?;
            for event in &events {
                let FacesEvent::Detected(detected) = event else { continue };
                for face in detected.faces.known().into_iter().flatten() {
                    let bytes = tried.vectors.as_deref().unwrap_or_default();
                    let Some(values) = row_of(bytes, detected.dims, face.row) else { continue };
                    let face_id = face.face_id.uuid();
                    let before = library.gallery.len();
                    library.gallery.push(face_id, *asset_id, &Codes::of(&values));
                    if library.gallery.len() > before {
                        let standing = standings.get(&face_id);
                        library.known.push(Some(Known {
                            person_id: standing.and_then(|face| face.person_id),
                            is_said_by_people: standing.is_some_and(|face| face.is_said_by_people),
                            is_shown: shown.contains(asset_id),
                        }));
                    }
                }
            }
            library.photos.push((*asset_id, tried.detection));
        }
        Ok(())
    }

    /// Whose the faces of some photos would be, once the aggregates have had their word.
    async fn as_settled(
        &self,
        photos: &[(Uuid, Detection)],
        owner_id: Uuid,
        targets: &HashMap<Uuid, Target>,
        standings: &HashMap<Uuid, FaceStanding>,
    ) -> Result<Vec<ProposedFace>, ProcessorError> {
        let asset_ids: Vec<Uuid> = photos.iter().map(|(asset_id, _)| *asset_id).collect();
        let there = self.faces_of(&asset_ids).await?;
        let people: BTreeSet<PersonId> = there.iter().flat_map(Faces::people).collect();
        let standing = self.commands.standing_of(people).await?;
        let shown: HashSet<Uuid> = self.queries.shown_of(&asset_ids).await?.into_iter().collect();
        let mut proposed = Vec::new();
        for ((asset_id, detection), faces) in photos.iter().zip(there) {
            let mut guesses = nobody(detection);
            let mut numbers: BTreeMap<PersonId, i32> = BTreeMap::new();
            let mut after = faces.clone();
            let found = FacesCommand::RecordDetection(Box::new(detection.clone()));
            let events = faces.decide(&found).map_err(refused)?;
            events.iter().for_each(|event| after.evolve(event));
            for face_id in after.ids() {
                match targets.get(&face_id.uuid()) {
                    None => {}
                    Some(Target::Nobody) => guesses.nobodys.push(face_id),
                    Some(Target::Person(person_id)) => {
                        let person_id = PersonId::new(*person_id);
                        guesses.faces.push(FaceAssignment { face_id, person_id });
                    }
                    Some(Target::Fresh(number)) => {
                        let number = i32::try_from(*number).unwrap_or(i32::MAX);
                        let person_id = stand_in(number);
                        numbers.insert(person_id, number);
                        guesses.faces.push(FaceAssignment { face_id, person_id });
                    }
                }
            }
            let events = follow(&faces, detection, &guesses, &standing).map_err(refused)?;
            let mut after = faces.clone();
            events.iter().for_each(|event| after.evolve(event));
            let ids: BTreeSet<FaceId> = faces.ids().chain(after.ids()).collect();
            for face_id in ids {
                let said = after.person_of(face_id);
                let person_id = said.flatten().and_then(|person_id| standing.of(person_id));
                let fresh = person_id.and_then(|it| numbers.get(&it).copied());
                let known = standings.get(&face_id.uuid());
                proposed.push(ProposedFace {
                    asset_id: *asset_id,
                    face_id: face_id.uuid(),
                    owner_id,
                    before_id: known.and_then(|face| face.person_id),
                    after_id: person_id.filter(|_| fresh.is_none()).map(PersonId::uuid),
                    fresh,
                    is_found: said.is_some(),
                    is_new: faces.person_of(face_id).is_none(),
                    is_shown: shown.contains(asset_id),
                });
            }
        }
        Ok(proposed)
    }

    async fn faces_of(&self, asset_ids: &[Uuid]) -> Result<Vec<Faces>, ProcessorError> {
        let streams: Vec<StreamId> =
            asset_ids.iter().map(|asset_id| StreamId::new("faces", asset_id)).collect();
        let loaded = self.commands.load_each::<Faces>(&streams).await?;
        Ok(loaded.into_iter().map(|(faces, _)| faces).collect())
    }

    /// The faces of a photo as a model that was tried found them last; nothing of what is forgotten.
    pub(super) async fn tried_faces(
        &self,
        asset_id: Uuid,
        model_id: Uuid,
    ) -> Result<Option<TriedPhoto>, ProcessorError> {
        let found = self
            .tried_last(asset_id, |event| match event {
                AssetTrialEvent::FacesFound(found) if found.model.id() == model_id => Some(found),
                _ => None,
            })
            .await?;
        let Some((event_id, found)) = found else { return Ok(None) };
        let Some(faces) = found.faces.known() else { return Ok(None) };
        let faces = faces.iter().map(|face| Found {
            fresh_id: face.face_id,
            area: face.area,
            score: face.score,
        });
        let detection = Detection {
            model: found.model.clone(),
            input_blake3: found.input_blake3.clone(),
            size: found.size,
            found: faces.collect(),
            vectors_blake3: found.vectors_blake3.clone(),
            dims: found.dims,
        };
        let vectors = self.queries.attached(event_id, "vectors").await?;
        Ok(Some(TriedPhoto { asset_id, detection, vectors }))
    }

    /// The last result of an asset that is looked for, with its event.
    pub(super) async fn tried_last<T>(
        &self,
        asset_id: Uuid,
        wanted: impl Fn(AssetTrialEvent) -> Option<T>,
    ) -> Result<Option<(Uuid, T)>, ProcessorError> {
        let stream_id = calotype_commands::trials::asset_trial_stream(AssetId::new(asset_id));
        let mut last = None;
        for event in self.store.read_stream(&stream_id, Revision::FIRST, EVENTS_MAX).await? {
            let payload = event.payload.as_str();
            let what = AssetTrialEvent::from_raw(&event.event_type, event.version, payload)
                .map_err(|error| ProcessorError::Command(Box::new(error)))?;
            if let Some(found) = wanted(what) {
                last = Some((event.event_id, found));
            }
        }
        Ok(last)
    }
}

fn refused(error: calotype_domain::faces::FacesError) -> ProcessorError {
    ProcessorError::Command(Box::new(error))
}

fn nobody(detection: &Detection) -> Guesses {
    let model = detection.model.clone();
    Guesses { model, run_id: Uuid::nil(), faces: vec![], nobodys: vec![] }
}

/// Somebody who is not there yet, by number, while it is asked what people said against it.
fn stand_in(number: i32) -> PersonId {
    PersonId::new(Uuid::from_u128(u128::from(number.unsigned_abs()) + 1))
}

/// One row of the vectors of a photo.
fn row_of(bytes: &[u8], dims: Option<u32>, row: u32) -> Option<Vec<f32>> {
    let length = usize::try_from(dims?).ok()?.checked_mul(NUMBER_BYTES)?;
    let from = usize::try_from(row).ok()?.checked_mul(length)?;
    unpack(bytes.get(from..from.checked_add(length)?)?)
}
