//! An album: what is in it, and who has which part in it.

mod aggregate;
mod command;
mod error;
mod event;
mod undo;

pub use aggregate::{ADDED_AT_ONCE_MAX, Album};
pub use command::{AlbumChange, AlbumCommand, NewAlbum};
pub use error::AlbumError;
pub use event::{
    AlbumActivityDisabled, AlbumActivityEnabled, AlbumAssetsAdded, AlbumAssetsRemoved,
    AlbumCoverChosen, AlbumCoverReset, AlbumCreated, AlbumDeleted, AlbumDescriptionChanged,
    AlbumEvent, AlbumOrder, AlbumOrderChanged, AlbumPurged, AlbumRenamed, AlbumRestored, AlbumText,
    AlbumUserAdded, AlbumUserRemoved, AlbumUserRoleChanged,
};
pub(crate) use undo::WAYS;
