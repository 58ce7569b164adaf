//! What a shared link may be asked, and how it refuses.

use chrono::{DateTime, Utc};

use super::event::SharedLinkCreated;
use crate::id::{AssetId, UserId};

/// Assets of one link.
pub const LINK_ASSETS_MAX: usize = 20_000;

/// What changes about a link in one go; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// Whether files may be added.
    pub allow_upload: Option<bool>,
    /// Whether originals may be downloaded.
    pub allow_download: Option<bool>,
    /// Whether what files say about themselves is shown.
    pub show_metadata: Option<bool>,
    /// When it ends; `Some(None)` for never.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// The name in addresses.
    pub slug: Option<Option<String>>,
    /// Hash of the password.
    pub password_hash: Option<Option<String>>,
    /// The owner's words.
    pub description: Option<Option<String>>,
}

/// A wish about one shared link.
#[derive(Clone, Debug, PartialEq)]
pub enum SharedLinkCommand {
    /// Make it.
    Create {
        /// The instant of the wish.
        now: DateTime<Utc>,
        /// What it is.
        created: Box<SharedLinkCreated>,
    },
    /// Change it.
    Change {
        /// Who wishes it.
        by: UserId,
        /// What changes.
        change: Box<LinkChange>,
    },
    /// Show more assets.
    AddAssets {
        /// Who wishes it; for what visitors upload, the link's owner.
        by: UserId,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Show fewer assets.
    RemoveAssets {
        /// Who wishes it.
        by: UserId,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Make it open nothing.
    Revoke {
        /// Who wishes it.
        by: UserId,
    },
}

/// Why a wish about a shared link was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedLinkError {
    /// It was never made, is revoked, or is somebody else's.
    #[error("shared link does not exist")]
    NotFound,
    /// It was made before.
    #[error("shared link exists already")]
    AlreadyExists,
    /// It would show nothing.
    #[error("a link to single assets needs one")]
    NoAssets,
    /// It would show more than [`LINK_ASSETS_MAX`].
    #[error("too many assets for one link")]
    TooManyAssets,
    /// It would be over before it began.
    #[error("the link would have ended already")]
    AlreadyOver,
    /// It shows an album, whose assets are the album's matter.
    #[error("the link shows an album")]
    ShowsAlbum,
}
