//! The faces on one photo: what models found and guessed, and what people decided over it.
//!
//! The two are told apart in every event.
//! A person's decision is anchored to the place on the photo, so that it outlives the model that found the
//! face: what a later model finds at the same place ([`SAME_PLACE_IOU_MIN`]) is the same face.
//! Confirmed means must, rejected means never, removed stays away, and merged people are one.

mod aggregate;
mod area;
mod command;
mod error;
mod event;
mod standing;
mod undo;

#[cfg(test)]
mod order_tests;

pub use crate::model::ModelRef;
pub use aggregate::{FACES_MAX, Faces};
pub use area::{Area, PictureSize, SAME_PLACE_IOU_MIN};
pub use command::{Detection, FacesCommand, Found, Guesses};
pub use error::FacesError;
pub use event::{
    FaceAssignment, FaceConfirmed, FaceDrawn, FaceFound, FaceRejected, FaceRemoved, FaceRestored,
    FaceWithdrawn, FacesAssigned, FacesDetected, FacesEvent, FacesUnassigned,
};
pub use standing::Standing;
pub(crate) use undo::WAYS;
