//! What an album may be asked.

use super::event::{AlbumCreated, AlbumOrder};
use crate::access::AlbumRole;
use crate::id::{AssetId, UserId};

/// What changes about an album in one go; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlbumChange {
    /// Its name.
    pub name: Option<String>,
    /// What it is about; empty for nothing.
    pub description: Option<String>,
    /// The asset on its cover.
    pub cover_id: Option<AssetId>,
    /// In which order it shows its assets.
    pub order: Option<AlbumOrder>,
    /// Whether comments and likes are taken.
    pub is_activity_enabled: Option<bool>,
}

/// A new album with all that is in it from the start.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAlbum {
    /// What it is.
    pub created: AlbumCreated,
    /// Who has a part in it, beside its owner.
    pub users: Vec<(UserId, AlbumRole)>,
    /// What is in it.
    pub asset_ids: Vec<AssetId>,
}

/// A wish about one album. Where `by` is nothing, the server wishes it by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum AlbumCommand {
    /// Make it.
    Create(Box<NewAlbum>),
    /// Change what its owner may change.
    Change {
        /// Who wishes it.
        by: UserId,
        /// What changes.
        change: Box<AlbumChange>,
    },
    /// Put assets into it; those that are in it already stay.
    AddAssets {
        /// Who wishes it.
        by: Option<UserId>,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Take assets out of it; those that are not in it count for nothing.
    RemoveAssets {
        /// Who wishes it.
        by: Option<UserId>,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Give people a part in it.
    AddUsers {
        /// Who wishes it.
        by: UserId,
        /// Who, and which part.
        users: Vec<(UserId, AlbumRole)>,
    },
    /// Give somebody another part in it.
    ChangeRole {
        /// Who wishes it.
        by: UserId,
        /// Whose.
        user_id: UserId,
        /// The new part.
        role: AlbumRole,
    },
    /// Take somebody out of it. Everybody may take out themselves.
    RemoveUser {
        /// Who wishes it.
        by: Option<UserId>,
        /// Who goes.
        user_id: UserId,
    },
    /// Delete it. Its assets stay.
    Delete {
        /// Who wishes it.
        by: Option<UserId>,
    },
    /// Let a deleted one not be taken back any more.
    Purge,
}
