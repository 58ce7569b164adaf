//! The events of a shared link.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::id::{AlbumId, AssetId, UserId};
use crate::sealed::Sealed;

/// What a link shows: an album as it is when somebody looks, or assets one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkTarget {
    /// An album.
    Album(AlbumId),
    /// The assets that it began with.
    Assets(Vec<AssetId>),
}

/// What whoever holds a link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkSwitches {
    /// Whether files may be added.
    pub allow_upload: bool,
    /// Whether originals may be downloaded.
    pub allow_download: bool,
    /// Whether what files say about themselves is shown.
    pub show_metadata: bool,
}

/// A link was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkCreated {
    /// Who shares.
    pub owner_id: UserId,
    /// What it shows.
    pub target: LinkTarget,
    /// What whoever holds it may do.
    pub switches: LinkSwitches,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// 50 random bytes, base64url: who knows them holds the link.
    pub key: Sealed<String>,
    /// A name that stands for the key in addresses.
    pub slug: Sealed<Option<String>>,
    /// argon2id hash of a password, in PHC form.
    pub password_hash: Sealed<Option<String>>,
    /// What the owner says about it.
    pub description: Sealed<Option<String>>,
}

/// Another name stands for the key, or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkSlugChanged {
    /// The new name.
    pub slug: Sealed<Option<String>>,
}

/// Another password is asked for, or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkPasswordChanged {
    /// argon2id hash in PHC form.
    pub password_hash: Sealed<Option<String>>,
}

/// The owner says something else about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkDescriptionChanged {
    /// The new words.
    pub description: Sealed<Option<String>>,
}

/// It ends at another time, or never.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkExpiryChanged {
    /// When.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Whoever holds it may do more or less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkSwitchesChanged {
    /// What they may do now.
    pub switches: LinkSwitches,
}

/// It shows more assets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkAssetsAdded {
    /// Which.
    pub asset_ids: Vec<AssetId>,
}

/// It shows fewer assets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkAssetsRemoved {
    /// Which.
    pub asset_ids: Vec<AssetId>,
}

/// It opens nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkRevoked {}

/// Its end was taken back: it opens by the same key what it opened before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedLinkRestored {
    /// Who shares.
    pub owner_id: UserId,
    /// What it shows.
    pub target: LinkTarget,
    /// What whoever holds it may do.
    pub switches: LinkSwitches,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The key it always had.
    pub key: Sealed<String>,
    /// A name that stands for the key in addresses.
    pub slug: Sealed<Option<String>>,
    /// argon2id hash of a password, in PHC form.
    pub password_hash: Sealed<Option<String>>,
    /// What the owner says about it.
    pub description: Sealed<Option<String>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

events! {
    /// Everything that can have happened to a shared link.
    SharedLinkEvent for "shared_link" {
        AssetsAdded(SharedLinkAssetsAdded) 1,
        AssetsRemoved(SharedLinkAssetsRemoved) 1,
        Created(SharedLinkCreated) 1,
        DescriptionChanged(SharedLinkDescriptionChanged) 1,
        ExpiryChanged(SharedLinkExpiryChanged) 1,
        PasswordChanged(SharedLinkPasswordChanged) 1,
        Restored(SharedLinkRestored) 1,
        Revoked(SharedLinkRevoked) 1,
        SlugChanged(SharedLinkSlugChanged) 1,
        SwitchesChanged(SharedLinkSwitchesChanged) 1,
    }
}
