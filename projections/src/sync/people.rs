//! People and the faces on photos, in the feeds of whose photos they are.
//!
//! Who a face is said to be is remembered, because a merge changes it without a word about the face.

use calotype_domain::PersonId;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::faces::FacesEvent;
use calotype_domain::person::PersonEvent;
use uuid::Uuid;

use super::feed::Feed;
use super::kind::Kind;
use super::ledger::{Key, Ledger, Wanted};
use super::{change, last_change};
use crate::event::Event;

/// What these events may change.
pub(super) fn want(events: &[&Event], wanted: &mut Wanted) {
    for event in events {
        match &event.what {
            AnyEvent::Person(what) => {
                wanted.keys.push(Key::new(Kind::Person, event.key));
                if let PersonEvent::MergedInto(merged) = what {
                    wanted.keys.push(into(event.key, merged.into_id.uuid()));
                }
            }
            AnyEvent::Faces(what) => {
                let faces = told(what).into_iter().chain(lost(what));
                wanted.keys.extend(faces.map(|id| face(id, event.key)));
                wanted.keys.extend(said(what).into_iter().map(|(id, of)| said_to_be(id, of)));
            }
            _ => {}
        }
    }
}

/// Takes in one event of a person.
pub(super) fn apply_person(event: &Event, what: &PersonEvent, ledger: &mut Ledger) {
    let number = change(event.position.get(), 0);
    let key = Key::new(Kind::Person, event.key);
    match what {
        PersonEvent::Created(created) => ledger.live(&key, created.owner_id.uuid(), number),
        PersonEvent::Restored(restored) => ledger.live(&key, restored.owner_id.uuid(), number),
        PersonEvent::Named(_)
        | PersonEvent::BirthDateChanged(_)
        | PersonEvent::Hidden(_)
        | PersonEvent::Shown(_)
        | PersonEvent::Favorited(_)
        | PersonEvent::Unfavorited(_)
        | PersonEvent::ColorChanged(_)
        | PersonEvent::FeatureFaceChosen(_)
        | PersonEvent::FeatureFaceReset(_)
        | PersonEvent::Parted(_)
        | PersonEvent::ThumbnailRecorded(_)
        | PersonEvent::ThumbnailFailed(_)
        | PersonEvent::Merged(_) => ledger.touch(&key, number),
        PersonEvent::MergedInto(merged) => {
            if let Some(owner_id) = ledger.scope(&key) {
                ledger.note(&into(event.key, merged.into_id.uuid()), owner_id, number);
            }
            ledger.gone(&key, number, event.recorded_at);
        }
        PersonEvent::Deleted(_) => ledger.gone(&key, number, event.recorded_at),
    }
}

/// Takes in one event of the faces on a photo of `owner_id`.
///
/// What was found is forgotten when the photo is erased, so heads do not depend on how many faces there
/// were: the last one of an event has the event's highest number, and that is the head.
pub(super) fn apply_faces(event: &Event, what: &FacesEvent, owner_id: Uuid, ledger: &mut Ledger) {
    let position = event.position.get();
    for (place, (face_id, person_id)) in said(what).into_iter().enumerate() {
        ledger.note(&said_to_be(face_id, person_id), owner_id, change(position, place));
    }
    if says_something(what) {
        ledger.raise(Feed::Rows(Kind::Face), owner_id, last_change(position));
    }
    let told = told(what);
    let first = last_change(position) - i64::try_from(told.len()).unwrap_or_default() + 1;
    for (number, face_id) in (first..).zip(told) {
        let key = face(face_id, event.key);
        let is_new = matches!(
            what,
            FacesEvent::Detected(_) | FacesEvent::Drawn(_) | FacesEvent::Restored(_)
        );
        if is_new || ledger.left_at(&key).is_none() && ledger.scope(&key).is_some() {
            ledger.note(&key, owner_id, number);
        }
    }
    for (place, face_id) in lost(what).into_iter().enumerate() {
        let number = change(position, place);
        ledger.raise(Feed::Gone(Kind::Face), owner_id, number);
        ledger.gone(&face(face_id, event.key), number, event.recorded_at);
    }
}

/// Whether an event may tell of faces that are there, as far as is remembered for ever.
const fn says_something(what: &FacesEvent) -> bool {
    match what {
        FacesEvent::Assigned(assigned) => !assigned.faces.is_empty(),
        FacesEvent::Unassigned(unassigned) => !unassigned.faces.is_empty(),
        FacesEvent::Detected(_)
        | FacesEvent::Drawn(_)
        | FacesEvent::Confirmed(_)
        | FacesEvent::Restored(_)
        | FacesEvent::Rejected(_) => true,
        FacesEvent::Removed(_) | FacesEvent::Withdrawn(_) => false,
    }
}

/// The faces that are there, and that an event tells something of.
fn told(what: &FacesEvent) -> Vec<Uuid> {
    match what {
        FacesEvent::Detected(detected) => {
            let found = detected.faces.known().into_iter().flatten();
            found.map(|found| found.face_id.uuid()).collect()
        }
        FacesEvent::Assigned(assigned) => {
            assigned.faces.iter().map(|assigned| assigned.face_id.uuid()).collect()
        }
        FacesEvent::Unassigned(unassigned) => {
            unassigned.faces.iter().map(|face_id| face_id.uuid()).collect()
        }
        FacesEvent::Drawn(drawn) => vec![drawn.face_id.uuid()],
        FacesEvent::Confirmed(confirmed) => vec![confirmed.face_id.uuid()],
        FacesEvent::Rejected(rejected) => vec![rejected.face_id.uuid()],
        FacesEvent::Restored(restored) => vec![restored.face_id.uuid()],
        FacesEvent::Removed(_) | FacesEvent::Withdrawn(_) => Vec::new(),
    }
}

/// The faces that are gone.
fn lost(what: &FacesEvent) -> Vec<Uuid> {
    match what {
        FacesEvent::Detected(detected) => detected.lost.iter().map(|id| id.uuid()).collect(),
        FacesEvent::Removed(removed) => vec![removed.face_id.uuid()],
        FacesEvent::Withdrawn(withdrawn) => vec![withdrawn.face_id.uuid()],
        FacesEvent::Assigned(_)
        | FacesEvent::Unassigned(_)
        | FacesEvent::Drawn(_)
        | FacesEvent::Confirmed(_)
        | FacesEvent::Restored(_)
        | FacesEvent::Rejected(_) => Vec::new(),
    }
}

/// Which faces an event says to be whose.
fn said(what: &FacesEvent) -> Vec<(Uuid, PersonId)> {
    match what {
        FacesEvent::Assigned(assigned) => assigned
            .faces
            .iter()
            .map(|assigned| (assigned.face_id.uuid(), assigned.person_id))
            .collect(),
        FacesEvent::Drawn(drawn) => vec![(drawn.face_id.uuid(), drawn.person_id)],
        FacesEvent::Confirmed(confirmed) => {
            vec![(confirmed.face_id.uuid(), confirmed.person_id)]
        }
        FacesEvent::Restored(restored) => {
            let said = restored.person_id.map(|person_id| (restored.face_id.uuid(), person_id));
            said.into_iter().collect()
        }
        FacesEvent::Detected(_)
        | FacesEvent::Unassigned(_)
        | FacesEvent::Rejected(_)
        | FacesEvent::Removed(_)
        | FacesEvent::Withdrawn(_) => Vec::new(),
    }
}

/// A face; its part is the photo.
fn face(face_id: Uuid, asset_id: Uuid) -> Key {
    Key::with_part(Kind::Face, face_id, asset_id.to_string())
}

/// That a face was said to be somebody's; in no feed.
fn said_to_be(face_id: Uuid, person_id: PersonId) -> Key {
    Key::with_part(Kind::PersonFace, person_id.uuid(), face_id.to_string())
}

/// Who somebody turned out to be; in no feed.
fn into(person_id: Uuid, into_id: Uuid) -> Key {
    Key::with_part(Kind::PersonInto, person_id, into_id.to_string())
}
