//! What the faces of a photo may be asked.
//!
//! Who may ask is the photo's and the person's matter: a use case asks `Asset::may_be_tagged` and
//! `Person::may_be_recognised` first.

use uuid::Uuid;

use super::area::{Area, PictureSize};
use super::event::FaceAssignment;
use super::standing::Standing;
use crate::id::{FaceId, PersonId};
use crate::model::ModelRef;

/// One face as a model gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The id it gets unless it is a known face.
    pub fresh_id: FaceId,
    /// Where.
    pub area: Area,
    /// How sure the model is, 0 to 1.
    pub score: f32,
}

/// What a model found on the photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Which model.
    pub model: ModelRef,
    /// BLAKE3 of the original, lower-case hex.
    pub input_blake3: String,
    /// The size of the picture it looked at.
    pub size: PictureSize,
    /// Every face it found.
    pub found: Vec<Found>,
    /// BLAKE3 of their vectors, lower-case hex, where there are any.
    pub vectors_blake3: Option<String>,
    /// Numbers of each vector, where there are any.
    pub dims: Option<u32>,
}

/// Whose faces a model thinks these are.
#[derive(Clone, Debug, PartialEq)]
pub struct Guesses {
    /// Which model.
    pub model: ModelRef,
    /// The run it is part of.
    pub run_id: Uuid,
    /// Face by face.
    pub faces: Vec<FaceAssignment>,
    /// Faces of which it does not know (any more) whose they are.
    pub nobodys: Vec<FaceId>,
}

/// A wish about the faces of one photo.
#[derive(Clone, Debug, PartialEq)]
pub enum FacesCommand {
    /// A model looked.
    RecordDetection(Box<Detection>),
    /// A model guessed. Guesses against people's decisions are left out, not refused.
    RecordGuesses {
        /// What it guessed.
        guesses: Box<Guesses>,
        /// Whom the people concerned stand for.
        standing: Standing,
    },
    /// A person draws a face, or (`area` is `None`) says who is on the photo without a place.
    Draw {
        /// The new face.
        face_id: FaceId,
        /// Where.
        area: Option<Area>,
        /// The size of the picture it is drawn on.
        size: PictureSize,
        /// Whose.
        person_id: PersonId,
    },
    /// A person says whose face it is.
    Confirm {
        /// The face.
        face_id: FaceId,
        /// Whose.
        person_id: PersonId,
        /// Whom the people concerned stand for.
        standing: Standing,
    },
    /// A person says whose face it is not.
    Reject {
        /// The face.
        face_id: FaceId,
        /// Whose it is not.
        person_id: PersonId,
        /// Whom the people concerned stand for.
        standing: Standing,
    },
    /// A person says that there is no face.
    Remove {
        /// The face.
        face_id: FaceId,
    },
}
