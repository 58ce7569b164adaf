//! How an account refuses.

use crate::hold::Held;

/// Why a wish about an account was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// It was never made, or is gone for good.
    #[error("user does not exist")]
    NotFound,
    /// It has a PIN already.
    #[error("user has a PIN already")]
    PinExists,
    /// It has no PIN to change.
    #[error("user has no PIN")]
    NoPin,
    /// It is no product key of a person.
    #[error("no product key of a person")]
    BadLicense,
    /// It is not marked as deleted, so it does not go for good.
    #[error("user is not marked as deleted")]
    NotDeleted,
    /// It is held, or something in it.
    #[error("under a legal hold of the {} {}", .0.kind(), .0.id())]
    Held(Held),
    /// It exists already.
    #[error("user exists already")]
    AlreadyExists,
}
