//! The one function that decides who may do what: for REST, websocket, files, search and sync alike.

use crate::asset::Visibility;
use crate::id::UserId;
use crate::permission::{Permission, allows};

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

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A route, whatever it touches.
    Route {
        /// Whether only administrators may use it.
        admin: bool,
    },
    /// An asset.
    Asset {
        /// Whose it is.
        owner_id: UserId,
        /// Where it shows.
        visibility: Visibility,
    },
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
    /// It belongs to somebody else, or there is no such thing.
    #[error("no access")]
    NoAccess,
    /// The PIN must be given first.
    #[error("elevated permission is required")]
    NotElevated,
}

/// Whether `viewer` may do what needs `permission` with `object`.
///
/// # Errors
/// [`Denied`] says why not; callers turn it into their protocol's words.
pub fn check(viewer: &Viewer, permission: Permission, object: Object) -> Result<(), Denied> {
    if let Grant::ApiKey { permissions } = &viewer.grant
        && !allows(permissions, permission)
    {
        return Err(Denied::MissingPermission(permission));
    }
    match object {
        Object::Route { admin } if admin && !viewer.is_admin => Err(Denied::NotAdmin),
        Object::Route { .. } => Ok(()),
        Object::Asset { owner_id, .. } if owner_id != viewer.user_id => Err(Denied::NoAccess),
        Object::Asset { visibility: Visibility::Locked, .. }
            if viewer.grant != (Grant::Session { elevated: true }) =>
        {
            Err(Denied::NoAccess)
        }
        Object::Asset { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));

    fn viewer(user: u128, grant: Grant) -> Viewer {
        Viewer { user_id: UserId::new(Uuid::from_u128(user)), is_admin: false, grant }
    }

    fn asset(visibility: Visibility) -> Object {
        Object::Asset { owner_id: OWNER, visibility }
    }

    #[test]
    fn owner_reads_and_stranger_does_not() {
        let session = Grant::Session { elevated: false };
        let object = asset(Visibility::Timeline);
        assert_eq!(check(&viewer(1, session.clone()), Permission::AssetRead, object), Ok(()));
        assert_eq!(
            check(&viewer(2, session), Permission::AssetRead, object),
            Err(Denied::NoAccess)
        );
    }

    #[test]
    fn administrator_does_not_read_others_photos() {
        let mut admin = viewer(2, Grant::Session { elevated: true });
        admin.is_admin = true;
        let object = asset(Visibility::Timeline);
        assert_eq!(check(&admin, Permission::AssetRead, object), Err(Denied::NoAccess));
    }

    #[test]
    fn locked_asset_needs_the_pin_and_never_opens_for_a_key() {
        let object = asset(Visibility::Locked);
        let plain = viewer(1, Grant::Session { elevated: false });
        let elevated = viewer(1, Grant::Session { elevated: true });
        let key = viewer(1, Grant::ApiKey { permissions: vec![Permission::All] });
        assert_eq!(check(&plain, Permission::AssetRead, object), Err(Denied::NoAccess));
        assert_eq!(check(&elevated, Permission::AssetRead, object), Ok(()));
        assert_eq!(check(&key, Permission::AssetRead, object), Err(Denied::NoAccess));
    }

    #[test]
    fn key_does_only_what_it_names() {
        let key = viewer(1, Grant::ApiKey { permissions: vec![Permission::AssetRead] });
        let route = Object::Route { admin: false };
        assert_eq!(
            check(&key, Permission::AssetUpload, route),
            Err(Denied::MissingPermission(Permission::AssetUpload))
        );
    }
}
