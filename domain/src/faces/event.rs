//! The events of the faces on one photo. A published shape never changes; see [`crate::event`].
//!
//! `FacesDetected`, `FacesAssigned` and `FacesUnassigned` are a model's; all others are a person's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::area::{Area, PictureSize};
use crate::event::events;
use crate::id::{FaceId, PersonId};
use crate::model::ModelRef;
use crate::sealed::Sealed;

/// One face that a model found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceFound {
    /// The face: a known one at the same place, or a new one.
    pub face_id: FaceId,
    /// Where the model saw it. A face that a person drew or confirmed keeps its own place.
    pub area: Area,
    /// How sure the model was, 0 to 1.
    pub score: f32,
    /// Its row in the attachment `vectors`, from 0.
    pub row: u32,
}

/// A model looked at the photo. Faces it found before and did not find again are lost, but for those that
/// a person drew or confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FacesDetected {
    /// Which model.
    pub model: ModelRef,
    /// BLAKE3 of the original, lower-case hex.
    pub input_blake3: String,
    /// The size of the picture it looked at.
    pub size: PictureSize,
    /// What it found, without what people removed.
    pub faces: Sealed<Vec<FaceFound>>,
    /// Faces that are no longer there.
    pub lost: Vec<FaceId>,
    /// BLAKE3 of the attachment `vectors` (f16, little-endian, a row for everything the model found),
    /// lower-case hex, where there is one.
    pub vectors_blake3: Option<String>,
    /// Numbers of each of these vectors.
    pub dims: Option<u32>,
}

/// Version 2 says how long vectors are; nothing of version 1 had any.
fn without_vectors(mut payload: Value) -> Value {
    if let Value::Object(members) = &mut payload {
        members.insert("dims".to_owned(), Value::Null);
    }
    payload
}

/// Whose face a model thinks it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaceAssignment {
    /// The face.
    pub face_id: FaceId,
    /// Whose.
    pub person_id: PersonId,
}

/// A model said whose faces these are. Never against what a person said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FacesAssigned {
    /// Which model.
    pub model: ModelRef,
    /// The run it was part of.
    pub run_id: Uuid,
    /// Face by face.
    pub faces: Vec<FaceAssignment>,
}

/// A model does not think any more that these faces are whose it said. Never against what a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacesUnassigned {
    /// Which model.
    pub model: ModelRef,
    /// The run it was part of.
    pub run_id: Uuid,
    /// The faces that are nobody's now.
    pub faces: Vec<FaceId>,
}

/// A person drew a face and said whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceDrawn {
    /// The new face.
    pub face_id: FaceId,
    /// Where; nothing for somebody who is on the photo without a place.
    pub area: Sealed<Option<Area>>,
    /// The size of the picture it was drawn on; zero without a place.
    pub size: PictureSize,
    /// Whose.
    pub person_id: PersonId,
}

/// A person said whose face it is. No model says otherwise from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceConfirmed {
    /// The face.
    pub face_id: FaceId,
    /// Where it was then.
    pub area: Sealed<Option<Area>>,
    /// Whose.
    pub person_id: PersonId,
}

/// A person said whose face it is not. No model says so again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceRejected {
    /// The face.
    pub face_id: FaceId,
    /// Where it was then.
    pub area: Sealed<Option<Area>>,
    /// Whose it is not.
    pub person_id: PersonId,
}

/// A person said that there is no face. No model finds it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceRemoved {
    /// The face.
    pub face_id: FaceId,
    /// Where it was then.
    pub area: Sealed<Option<Area>>,
}

/// What people said about a face was taken back: it is again as this says, whatever was said since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceRestored {
    /// The face.
    pub face_id: FaceId,
    /// Where it is.
    pub area: Sealed<Option<Area>>,
    /// The size of the picture it was found or drawn on.
    pub size: PictureSize,
    /// Whose it is said to be.
    pub person_id: Option<PersonId>,
    /// Whether a person drew it.
    pub is_drawn: bool,
    /// Whether a person said whose it is.
    pub is_confirmed: bool,
    /// Whose it is not.
    pub rejected: Vec<PersonId>,
}

/// A drawn face was taken back: as if nobody had drawn it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaceWithdrawn {
    /// The face.
    pub face_id: FaceId,
    /// Where people had said before that there is none.
    pub removed: Sealed<Vec<Area>>,
    /// Whose people had said before that it is not.
    pub rejected: Vec<PersonId>,
}

events! {
    /// Everything that can have happened to the faces on a photo.
    FacesEvent for "faces" {
        Assigned(FacesAssigned) 1,
        Confirmed(FaceConfirmed) 1,
        Detected(FacesDetected) 2 [without_vectors],
        Drawn(FaceDrawn) 1,
        Rejected(FaceRejected) 1,
        Removed(FaceRemoved) 1,
        Restored(FaceRestored) 1,
        Unassigned(FacesUnassigned) 1,
        Withdrawn(FaceWithdrawn) 1,
    }
}
