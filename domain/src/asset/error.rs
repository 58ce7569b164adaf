//! How an asset refuses.

use super::edit::EditRefusal;
use crate::hold::Held;
use crate::id::UserId;

/// Why a wish about an asset was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// It was never uploaded, or is purged.
    #[error("asset does not exist")]
    NotFound,
    /// It belongs to somebody else.
    #[error("asset does not belong to user {by}")]
    NotOwner {
        /// Who asked.
        by: UserId,
    },
    /// The trash is emptied, and it is not in there, or not any more.
    #[error("asset is not in the trash")]
    NotTrashed,
    /// It is held, or the account that it is in.
    #[error("under a legal hold of the {} {}", .0.kind(), .0.id())]
    Held(Held),
    /// It exists already.
    #[error("asset exists already")]
    AlreadyExists,
    /// A program's value is too large, its key too long or empty, or there are too many.
    #[error("value does not fit what may be kept with an asset")]
    BadKeyValue,
    /// It cannot be edited so.
    #[error(transparent)]
    CannotEdit(#[from] EditRefusal),
    /// Stars are -1 or 1 to 5.
    #[error("rating {rating} is not -1 or 1 to 5")]
    BadRating {
        /// What was asked for.
        rating: i8,
    },
}
