//! Who asks, by what right, and how it is denied.

use crate::id::{SharedLinkId, UserId};
use crate::permission::Permission;

/// By what right somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A login: everything the person may do.
    Session {
        /// Whether the PIN was given lately.
        elevated: bool,
    },
    /// A key: only what it names.
    ApiKey {
        /// What it names.
        permissions: Vec<Permission>,
    },
    /// A shared link: only what it points at. The viewer's account is that of who made it.
    SharedLink {
        /// Which link.
        link_id: SharedLinkId,
        /// Whether originals may be downloaded.
        allow_download: bool,
        /// Whether files may be added.
        allow_upload: bool,
        /// Whether what files say about themselves is shown.
        show_metadata: bool,
    },
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// For whom.
    pub user_id: UserId,
    /// Whether that person administers the server.
    pub is_admin: bool,
    /// By what right.
    pub grant: Grant,
}

impl Viewer {
    /// The same with all that the person behind a key may do, where a route has asked the key already.
    #[must_use]
    pub fn person(&self) -> Self {
        let grant = match &self.grant {
            Grant::ApiKey { .. } => Grant::Session { elevated: false },
            other => other.clone(),
        };
        Self { grant, ..self.clone() }
    }
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The key does not name the permission.
    #[error("missing required permission {}", .0.as_str())]
    MissingPermission(Permission),
    /// Only administrators may.
    #[error("not an administrator")]
    NotAdmin,
    /// Not by a shared link.
    #[error("not by a shared link")]
    NotForLinks,
    /// It belongs to somebody else, or there is no such thing.
    #[error("no access")]
    NoAccess,
    /// The PIN must be given first.
    #[error("elevated permission is required")]
    NotElevated,
}
