//! How an album refuses.

use crate::id::UserId;
use crate::permission::Permission;

/// Why a wish about an album was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlbumError {
    /// It was never made, or is deleted.
    #[error("album does not exist")]
    NotFound,
    /// It was made before.
    #[error("album exists already")]
    AlreadyExists,
    /// Who wishes it has no part in the album that lets them.
    #[error("no part in the album that allows {}", .0.as_str())]
    NoAccess(Permission),
    /// They have no part in it.
    #[error("{0} has no part in the album")]
    HasNoPart(UserId),
    /// An album has an owner.
    #[error("an album keeps its last owner")]
    LastOwner,
    /// The cover is one of the album's assets.
    #[error("the cover is not in the album")]
    CoverNotInside,
}
