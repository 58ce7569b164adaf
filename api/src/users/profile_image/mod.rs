//! `/users/profile-image` and `/users/{id}/profile-image`: the picture of a person.

pub(crate) mod change;
pub(crate) mod get;

/// The largest picture taken, in bytes.
pub(super) const IMAGE_BYTES_MAX: u64 = 20 << 20;
/// The largest form with a picture, in bytes: the picture and what surrounds it.
pub(super) const BODY_BYTES_MAX: usize = 21 << 20;
