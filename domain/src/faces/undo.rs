//! Taking back what people said about the faces on a photo, face by face. What models found stays.

use std::collections::BTreeSet;

use super::aggregate::{Face, Faces, Rejection};
use super::area::Area;
use super::event::{FaceRestored, FaceWithdrawn, FacesEvent};
use crate::access::Object;
use crate::id::{FaceId, PersonId, UserId};
use crate::permission::Permission;
use crate::undo::way::{Row, back, follows};
use crate::undo::{Asked, Need, Plan, States, Undo};

const MODEL: &str = "what a model found or guessed is not a person's decision";
const EITHER: &[&str] = &["FaceRestored", "FaceWithdrawn"];
const UPDATE: Need = Need::of(Permission::FaceUpdate);

/// How events of faces go back.
pub(crate) const WAYS: &[Row] = &[
    back("FaceConfirmed", "face", &["FaceRestored"], UPDATE),
    back("FaceDrawn", "face", &["FaceWithdrawn"], Need::of(Permission::FaceCreate)),
    back("FaceRejected", "face", &["FaceRestored"], UPDATE),
    back("FaceRemoved", "face", &["FaceRestored"], Need::of(Permission::FaceDelete)),
    back("FaceRestored", "face", EITHER, UPDATE),
    back("FaceWithdrawn", "face", &["FaceRestored"], UPDATE),
    follows("FacesAssigned", MODEL),
    follows("FacesDetected", MODEL),
    follows("FacesUnassigned", MODEL),
];

/// All that is said about one face.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    face: Option<Face>,
    rejected: BTreeSet<PersonId>,
}

impl Faces {
    fn said(&self, face_id: FaceId) -> Said {
        let rejections = self.rejections.iter().filter(|it| it.face_id == face_id);
        Said {
            face: self.there.get(&face_id).cloned(),
            rejected: rejections.map(|it| it.person_id).collect(),
        }
    }

    /// Says of these people, and of nobody else, that a face is not theirs.
    pub(super) fn reject_only(&mut self, face_id: FaceId, area: Option<Area>, people: &[PersonId]) {
        self.rejections.retain(|it| it.face_id != face_id);
        let again = people.iter();
        self.rejections.extend(again.map(|person_id| Rejection {
            face_id,
            area,
            person_id: *person_id,
        }));
    }

    /// Lets a face be again what an event says.
    pub(super) fn restore(&mut self, restored: &FaceRestored) {
        let FaceRestored { face_id, size, person_id, .. } = *restored;
        let area = restored.area.known().copied().flatten();
        if let Some(area) = area {
            self.removed.retain(|removed| !removed.is_same_place(&area));
        }
        self.reject_only(face_id, area, &restored.rejected);
        let (drawn, confirmed) = (restored.is_drawn, restored.is_confirmed);
        self.there.insert(face_id, Face { area, size, person_id, drawn, confirmed });
    }
}

impl Undo for Faces {
    /// They are the photo's owner's, whom the use case looks up.
    fn object(&self, _by: UserId) -> Option<Object> {
        None
    }

    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<FacesEvent> {
        let mut plan = Plan::default();
        let all = [&states.before, &states.after, &states.now];
        let ids: BTreeSet<FaceId> = all.iter().flat_map(|faces| faces.ids()).collect();
        for face_id in ids {
            let said = states.map(|faces| faces.said(face_id));
            plan.facet("face", &said, |said| {
                vec![match &said.face {
                    Some(face) => FaceRestored {
                        face_id,
                        area: face.area.into(),
                        size: face.size,
                        person_id: face.person_id,
                        is_drawn: face.drawn,
                        is_confirmed: face.confirmed,
                        rejected: said.rejected.iter().copied().collect(),
                    }
                    .into(),
                    None => {
                        let removed = states.before.removed.iter().copied();
                        let new: Vec<Area> =
                            removed.filter(|area| !states.now.removed.contains(area)).collect();
                        let rejected = said.rejected.iter().copied().collect();
                        FaceWithdrawn { face_id, removed: new.into(), rejected }.into()
                    }
                }]
            });
        }
        plan
    }
}
