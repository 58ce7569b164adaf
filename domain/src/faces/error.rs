//! How the faces of a photo refuse.

use super::aggregate::FACES_MAX;

/// Why a wish about faces was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FacesError {
    /// There is no such face (any more), or no such photo or person for whoever asks.
    #[error("face does not exist")]
    NotFound,
    /// The face exists already.
    #[error("face exists already")]
    AlreadyExists,
    /// The box has no place on the photo.
    #[error("face is not on the photo")]
    BadArea,
    /// More faces than a photo may have.
    #[error("photo has {FACES_MAX} faces already")]
    TooMany,
}
