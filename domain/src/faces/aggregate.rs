//! The rules of the faces on one photo.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::area::{Area, PictureSize};
use super::command::{Detection, FacesCommand, Found, Guesses};
use super::error::FacesError;
use super::event::{
    FaceConfirmed, FaceDrawn, FaceFound, FaceRejected, FaceRemoved, FacesAssigned, FacesDetected,
    FacesEvent, FacesUnassigned,
};
use super::standing::Standing;
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{FaceId, PersonId};
use crate::model::ModelRef;

/// Faces that one photo may have; of more that a model finds, the surest are kept.
pub const FACES_MAX: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Face {
    pub(super) area: Option<Area>,
    #[serde(default)]
    pub(super) size: PictureSize,
    pub(super) person_id: Option<PersonId>,
    /// A person drew it.
    pub(super) drawn: bool,
    /// A person said whose it is.
    pub(super) confirmed: bool,
}

impl Face {
    fn is_kept(&self) -> bool {
        self.drawn || self.confirmed
    }

    fn is_at(&self, area: &Area) -> bool {
        self.area.is_some_and(|own| own.is_same_place(area))
    }
}

/// Whose a face is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rejection {
    pub(super) face_id: FaceId,
    pub(super) area: Option<Area>,
    pub(super) person_id: PersonId,
}

/// The faces on one photo, folded from their events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Faces {
    pub(super) there: BTreeMap<FaceId, Face>,
    pub(super) rejections: Vec<Rejection>,
    pub(super) removed: Vec<Area>,
    looked: Option<(ModelRef, String)>,
}

impl Faces {
    /// Everybody who was named here, for looking up whom they stand for.
    #[must_use]
    pub fn people(&self) -> BTreeSet<PersonId> {
        let rejected = self.rejections.iter().map(|rejection| rejection.person_id);
        self.there.values().filter_map(|face| face.person_id).chain(rejected).collect()
    }

    /// The faces that are said to be somebody's, in order of their ids.
    #[must_use]
    pub fn of_person(&self, person_id: PersonId, standing: &Standing) -> Vec<FaceId> {
        self.there
            .iter()
            .filter(|(_, face)| face.person_id.is_some_and(|it| standing.are_one(it, person_id)))
            .map(|(face_id, _)| *face_id)
            .collect()
    }

    /// Whose a face is said to be; `None` for a face that is not there.
    #[must_use]
    pub fn person_of(&self, face_id: FaceId) -> Option<Option<PersonId>> {
        self.there.get(&face_id).map(|face| face.person_id)
    }

    /// Whether people ever said anything about them that still holds.
    #[must_use]
    pub fn were_spoken_of(&self) -> bool {
        !self.rejections.is_empty()
            || !self.removed.is_empty()
            || self.there.values().any(Face::is_kept)
    }

    /// A face that is at a place already.
    #[must_use]
    pub fn found_at(&self, area: &Area) -> Option<FaceId> {
        self.known_at(area, &BTreeSet::new()).map(|(face_id, _)| face_id)
    }

    /// The model that looked last.
    #[must_use]
    pub fn looked_by(&self) -> Option<&ModelRef> {
        self.looked.as_ref().map(|(model, _)| model)
    }

    /// Whether people said that a face, or one that was at its place, is not somebody's.
    #[must_use]
    pub fn is_not_of(&self, face_id: FaceId, person_id: PersonId, standing: &Standing) -> bool {
        let face = self.there.get(&face_id);
        self.rejections.iter().any(|rejection| {
            let is_at = |area: Area| face.is_some_and(|face| face.is_at(&area));
            standing.are_one(rejection.person_id, person_id)
                && (rejection.face_id == face_id || rejection.area.is_some_and(is_at))
        })
    }

    /// Where a face is.
    #[must_use]
    pub fn area_of(&self, face_id: FaceId) -> Option<Area> {
        self.there.get(&face_id).and_then(|face| face.area)
    }

    /// Every face that is there.
    pub fn ids(&self) -> impl Iterator<Item = FaceId> {
        self.there.keys().copied()
    }

    fn face(&self, face_id: FaceId) -> Result<&Face, FacesError> {
        self.there.get(&face_id).ok_or(FacesError::NotFound)
    }

    fn detect(&self, detection: &Detection) -> Vec<FacesEvent> {
        let looked = (detection.model.clone(), detection.input_blake3.clone());
        let is_again = self.looked.as_ref() == Some(&looked);
        let mut found: Vec<(u32, &Found)> =
            (0..).zip(&detection.found).filter(|(_, found)| found.area.is_valid()).collect();
        found.sort_by(|(_, one), (_, other)| other.score.total_cmp(&one.score));
        found.truncate(FACES_MAX);
        let mut matched = BTreeSet::new();
        let mut is_news = !is_again;
        let mut faces = Vec::with_capacity(found.len());
        for (row, found) in found {
            let known = self.known_at(&found.area, &matched);
            let is_kept = known.is_some_and(|(_, face)| face.is_kept());
            if !is_kept && self.removed.iter().any(|area| area.is_same_place(&found.area)) {
                continue;
            }
            let face_id = known.map_or(found.fresh_id, |(face_id, _)| face_id);
            is_news |= known.is_none();
            matched.insert(face_id);
            faces.push(FaceFound { face_id, area: found.area, score: found.score, row });
        }
        let lost: Vec<FaceId> = self
            .there
            .iter()
            .filter(|(face_id, face)| !face.is_kept() && !matched.contains(face_id))
            .map(|(face_id, _)| *face_id)
            .collect();
        // The same model may look again with another idea of how sure it must be.
        if !is_news && lost.is_empty() {
            return vec![];
        }
        let (model, input_blake3) = looked;
        vec![
            FacesDetected {
                model,
                input_blake3,
                size: detection.size,
                faces: faces.into(),
                lost,
                vectors_blake3: detection.vectors_blake3.clone(),
                dims: detection.dims,
            }
            .into(),
        ]
    }

    /// The face at a place that no other finding has taken: rather one that a person decided about, then
    /// the one that overlaps most.
    fn known_at(&self, area: &Area, matched: &BTreeSet<FaceId>) -> Option<(FaceId, &Face)> {
        self.there
            .iter()
            .filter(|(face_id, face)| !matched.contains(face_id) && face.is_at(area))
            .map(|(face_id, face)| (*face_id, face))
            .max_by(|(_, one), (_, other)| {
                let overlap = |face: &Face| face.area.map_or(0.0, |own| own.overlap(area));
                one.is_kept()
                    .cmp(&other.is_kept())
                    .then_with(|| overlap(one).total_cmp(&overlap(other)))
            })
    }

    fn guess(&self, guesses: &Guesses, standing: &Standing) -> Vec<FacesEvent> {
        let faces: Vec<_> = guesses
            .faces
            .iter()
            .filter(|guess| self.may_be_guessed(guess.face_id, guess.person_id, standing))
            .copied()
            .collect();
        let nobodys: Vec<_> =
            guesses.nobodys.iter().filter(|it| self.may_be_nobodys(**it)).copied().collect();
        let Guesses { model, run_id, .. } = guesses;
        let mut events: Vec<FacesEvent> = Vec::new();
        if !faces.is_empty() {
            events.push(FacesAssigned { model: model.clone(), run_id: *run_id, faces }.into());
        }
        if !nobodys.is_empty() {
            let (model, faces) = (model.clone(), nobodys);
            events.push(FacesUnassigned { model, run_id: *run_id, faces }.into());
        }
        events
    }

    fn may_be_nobodys(&self, face_id: FaceId) -> bool {
        self.there.get(&face_id).is_some_and(|face| face.person_id.is_some() && !face.is_kept())
    }

    fn may_be_guessed(&self, face_id: FaceId, person_id: PersonId, standing: &Standing) -> bool {
        let Some(face) = self.there.get(&face_id) else { return false };
        if standing.of(person_id).is_none() {
            return false;
        }
        // Of whoever was deleted nobody said anything.
        let is_somebodys = face.person_id.is_some_and(|said| standing.of(said).is_some());
        if face.confirmed && is_somebodys {
            return false;
        }
        if face.person_id.is_some_and(|said| standing.are_one(said, person_id)) {
            return false;
        }
        !self.is_not_of(face_id, person_id, standing)
    }

    fn confirm(
        &self,
        face_id: FaceId,
        person_id: PersonId,
        standing: &Standing,
    ) -> Result<Vec<FacesEvent>, FacesError> {
        let face = self.face(face_id)?;
        let is_theirs = face.person_id.is_some_and(|said| standing.are_one(said, person_id));
        if is_theirs && face.confirmed {
            return Ok(vec![]);
        }
        let mut events: Vec<FacesEvent> = Vec::new();
        if let Some(said) = face.person_id.filter(|_| !is_theirs) {
            events.push(FaceRejected { face_id, area: face.area.into(), person_id: said }.into());
        }
        events.push(FaceConfirmed { face_id, area: face.area.into(), person_id }.into());
        Ok(events)
    }

    fn reject(
        &self,
        face_id: FaceId,
        person_id: PersonId,
        standing: &Standing,
    ) -> Result<Vec<FacesEvent>, FacesError> {
        let face = self.face(face_id)?;
        let said = face.person_id.filter(|said| standing.are_one(*said, person_id));
        let is_known = said.is_none()
            && self.rejections.iter().any(|rejection| {
                rejection.face_id == face_id && standing.are_one(rejection.person_id, person_id)
            });
        if is_known {
            return Ok(vec![]);
        }
        let person_id = said.unwrap_or(person_id);
        Ok(vec![FaceRejected { face_id, area: face.area.into(), person_id }.into()])
    }

    fn draw(
        &self,
        face_id: FaceId,
        area: Option<Area>,
        size: PictureSize,
        person_id: PersonId,
    ) -> Result<Vec<FacesEvent>, FacesError> {
        if self.there.contains_key(&face_id) {
            return Err(FacesError::AlreadyExists);
        }
        if self.there.len() >= FACES_MAX {
            return Err(FacesError::TooMany);
        }
        if area.is_some_and(|area| !area.is_valid()) {
            return Err(FacesError::BadArea);
        }
        Ok(vec![FaceDrawn { face_id, area: area.into(), size, person_id }.into()])
    }

    fn take_detection(&mut self, detected: &FacesDetected) {
        self.looked = Some((detected.model.clone(), detected.input_blake3.clone()));
        for face_id in &detected.lost {
            self.there.remove(face_id);
        }
        for found in detected.faces.known().into_iter().flatten() {
            let face = self.there.entry(found.face_id).or_insert(Face {
                area: None,
                size: detected.size,
                person_id: None,
                drawn: false,
                confirmed: false,
            });
            if !face.is_kept() {
                face.area = Some(found.area);
                face.size = detected.size;
            }
        }
    }

    /// Who was rejected at a place before is welcome there again.
    fn welcome(&mut self, face_id: FaceId, area: Option<Area>, person_id: PersonId) {
        self.rejections.retain(|rejection| {
            let here = rejection.face_id == face_id
                || rejection.area.zip(area).is_some_and(|(one, other)| one.is_same_place(&other));
            !(here && rejection.person_id == person_id)
        });
    }

    fn take_confirmation(&mut self, confirmed: &FaceConfirmed) {
        let area = confirmed.area.known().copied().flatten();
        self.welcome(confirmed.face_id, area, confirmed.person_id);
        if let Some(face) = self.there.get_mut(&confirmed.face_id) {
            face.person_id = Some(confirmed.person_id);
            face.confirmed = true;
        }
    }
}

impl Aggregate for Faces {
    type Command = FacesCommand;
    type Event = FacesEvent;
    type Error = FacesError;

    fn decide(&self, command: &FacesCommand) -> Result<Vec<FacesEvent>, FacesError> {
        match command {
            FacesCommand::RecordDetection(detection) => Ok(self.detect(detection)),
            FacesCommand::RecordGuesses { guesses, standing } => Ok(self.guess(guesses, standing)),
            FacesCommand::Draw { face_id, area, size, person_id } => {
                self.draw(*face_id, *area, *size, *person_id)
            }
            FacesCommand::Confirm { face_id, person_id, standing } => {
                self.confirm(*face_id, *person_id, standing)
            }
            FacesCommand::Reject { face_id, person_id, standing } => {
                self.reject(*face_id, *person_id, standing)
            }
            FacesCommand::Remove { face_id } => {
                let area = self.face(*face_id)?.area.into();
                Ok(vec![FaceRemoved { face_id: *face_id, area }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &FacesEvent) {
        match event {
            FacesEvent::Detected(detected) => self.take_detection(detected),
            FacesEvent::Assigned(assigned) => {
                for guess in &assigned.faces {
                    if let Some(face) = self.there.get_mut(&guess.face_id) {
                        face.person_id = Some(guess.person_id);
                        face.confirmed = false;
                    }
                }
            }
            FacesEvent::Unassigned(unassigned) => {
                for face_id in &unassigned.faces {
                    if let Some(face) = self.there.get_mut(face_id) {
                        face.person_id = None;
                        face.confirmed = false;
                    }
                }
            }
            FacesEvent::Drawn(drawn) => {
                let area = drawn.area.known().copied().flatten();
                if let Some(area) = area {
                    self.removed.retain(|removed| !removed.is_same_place(&area));
                }
                self.welcome(drawn.face_id, area, drawn.person_id);
                let person_id = Some(drawn.person_id);
                let size = drawn.size;
                let face = Face { area, size, person_id, drawn: true, confirmed: true };
                self.there.insert(drawn.face_id, face);
            }
            FacesEvent::Confirmed(confirmed) => self.take_confirmation(confirmed),
            FacesEvent::Rejected(rejected) => {
                if let Some(face) = self.there.get_mut(&rejected.face_id)
                    && face.person_id == Some(rejected.person_id)
                {
                    face.person_id = None;
                    face.confirmed = false;
                }
                self.rejections.push(Rejection {
                    face_id: rejected.face_id,
                    area: rejected.area.known().copied().flatten(),
                    person_id: rejected.person_id,
                });
            }
            FacesEvent::Removed(removed) => {
                self.there.remove(&removed.face_id);
                self.removed.extend(removed.area.known().copied().flatten());
            }
            FacesEvent::Restored(restored) => self.restore(restored),
            FacesEvent::Withdrawn(withdrawn) => {
                let area = self.there.remove(&withdrawn.face_id).and_then(|face| face.area);
                self.removed.extend(withdrawn.removed.known().into_iter().flatten());
                self.reject_only(withdrawn.face_id, area, &withdrawn.rejected);
            }
        }
    }
}

cqrs_aggregate!(Faces, FacesCommand, FacesEvent, FacesError);
