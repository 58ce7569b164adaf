//! The events of an album.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::AlbumRole;
use crate::event::events;
use crate::id::{AssetId, UserId};
use crate::sealed::Sealed;

/// In which order an album shows its assets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlbumOrder {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

impl AlbumOrder {
    /// The word Immich's API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// What an album is called and what it is about; personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumText {
    /// Its name.
    pub name: String,
    /// What it is about; empty for nothing.
    pub description: String,
}

/// An album was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumCreated {
    /// Whose it is.
    pub owner_id: UserId,
    /// Its name and description.
    pub text: Sealed<AlbumText>,
    /// In which order it shows its assets.
    pub order: AlbumOrder,
}

/// It is called something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumRenamed {
    /// The new name.
    pub name: Sealed<String>,
}

/// What it is about was written anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumDescriptionChanged {
    /// The new description; empty for none.
    pub description: Sealed<String>,
}

/// It shows its assets in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumOrderChanged {
    /// The new order.
    pub order: AlbumOrder,
}

/// A person chose its cover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumCoverChosen {
    /// The asset on the cover; one of the album.
    pub asset_id: AssetId,
}

/// Comments and likes are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumActivityEnabled {}

/// Comments and likes are not taken any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumActivityDisabled {}

/// Assets were put into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumAssetsAdded {
    /// By whom; nothing when the server did it by itself.
    pub by: Option<UserId>,
    /// Which, in the order they were named.
    pub asset_ids: Vec<AssetId>,
}

/// Assets were taken out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumAssetsRemoved {
    /// By whom; nothing when the server did it by itself.
    pub by: Option<UserId>,
    /// Which.
    pub asset_ids: Vec<AssetId>,
}

/// Somebody got a part in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumUserAdded {
    /// Who.
    pub user_id: UserId,
    /// Which part.
    pub role: AlbumRole,
}

/// Somebody's part in it changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumUserRoleChanged {
    /// Whose.
    pub user_id: UserId,
    /// The new part.
    pub role: AlbumRole,
}

/// Somebody left, or was taken out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumUserRemoved {
    /// Who.
    pub user_id: UserId,
}

/// Nobody chooses its cover any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumCoverReset {}

/// The album is gone; its assets are not. It can be taken back for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumDeleted {}

/// Its deletion was taken back. It begins anew: events behind this one say what is in it and who has a part
/// in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumRestored {
    /// Whose it is.
    pub owner_id: UserId,
    /// Its name and description.
    pub text: Sealed<AlbumText>,
    /// In which order it shows its assets.
    pub order: AlbumOrder,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A deleted album cannot be taken back any more; its key is destroyed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlbumPurged {}

events! {
    /// Everything that can have happened to an album.
    AlbumEvent for "album" {
        ActivityDisabled(AlbumActivityDisabled) 1,
        ActivityEnabled(AlbumActivityEnabled) 1,
        AssetsAdded(AlbumAssetsAdded) 1,
        AssetsRemoved(AlbumAssetsRemoved) 1,
        CoverChosen(AlbumCoverChosen) 1,
        CoverReset(AlbumCoverReset) 1,
        Created(AlbumCreated) 1,
        Deleted(AlbumDeleted) 1,
        DescriptionChanged(AlbumDescriptionChanged) 1,
        OrderChanged(AlbumOrderChanged) 1,
        Purged(AlbumPurged) 1,
        Renamed(AlbumRenamed) 1,
        Restored(AlbumRestored) 1,
        UserAdded(AlbumUserAdded) 1,
        UserRemoved(AlbumUserRemoved) 1,
        UserRoleChanged(AlbumUserRoleChanged) 1,
    }
}
