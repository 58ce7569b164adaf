//! What is asked for, with the facts that decide.

use serde::{Deserialize, Serialize};

use crate::asset::Visibility;
use crate::id::UserId;

/// A person's part in an album; later ones may do all that earlier ones may.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlbumRole {
    /// Looks.
    Viewer,
    /// Adds and takes out.
    Editor,
    /// Decides about the album itself.
    Owner,
}

impl AlbumRole {
    /// The word Immich's API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl std::str::FromStr for AlbumRole {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "editor" => Ok(Self::Editor),
            "owner" => Ok(Self::Owner),
            _ => Err(UnknownRole),
        }
    }
}

/// A word that names no part in an album.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role in an album")]
pub struct UnknownRole;

/// By which ways a viewer reaches an asset that is not theirs. The default is by none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Their highest part in an album that holds it.
    pub album: Option<AlbumRole>,
    /// Whether its owner shares everything with them.
    pub is_partner: bool,
    /// Whether the shared link they hold points at it.
    pub by_link: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A route, whatever it touches. Not for shared links.
    Route {
        /// Whether only administrators may use it.
        admin: bool,
    },
    /// A route that shared links may use too, whatever it touches.
    SharedRoute,
    /// Something that only its owner uses: a tag, a stack, a person, a memory, a notification, a partner.
    Owned {
        /// Whose it is.
        owner_id: UserId,
    },
    /// All that somebody's timeline or archive shows.
    Timeline {
        /// Whose it is.
        owner_id: UserId,
        /// Whether the owner shares everything with the viewer.
        is_partner: bool,
    },
    /// An album.
    Album {
        /// The viewer's part in it.
        role: Option<AlbumRole>,
        /// Whether the shared link they hold points at it.
        by_link: bool,
    },
    /// A comment or a like in an album, there or to be made.
    Activity {
        /// Whose it is, where it is there.
        author_id: Option<UserId>,
        /// The viewer's part in the album.
        role: Option<AlbumRole>,
        /// Whether the album takes comments and likes.
        is_enabled: bool,
    },
    /// An asset.
    Asset {
        /// Whose it is.
        owner_id: UserId,
        /// Where it shows.
        visibility: Visibility,
        /// Whether it is in the trash.
        is_trashed: bool,
        /// By which ways the viewer reaches it, where it is not theirs.
        reach: Reach,
    },
}
