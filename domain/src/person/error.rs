//! How a person refuses.

use crate::id::UserId;

/// Why a wish about a person was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// There never was one, or they are merged or deleted.
    #[error("person does not exist")]
    NotFound,
    /// They are in somebody else's library.
    #[error("person is not in the library of user {by}")]
    NotOwner {
        /// Who asked.
        by: UserId,
    },
    /// They exist already.
    #[error("person exists already")]
    AlreadyExists,
    /// Nobody is born tomorrow.
    #[error("birth date is in the future")]
    BirthDateInFuture,
    /// Somebody cannot turn out to be themselves.
    #[error("person cannot be merged into themselves")]
    MergedWithThemselves,
    /// The face that should stand for them is not theirs.
    #[error("face is not theirs")]
    NotTheirFace,
}
