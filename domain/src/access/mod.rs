//! The one function that decides who may do what: for REST, websocket, files, search and sync alike.
//!
//! Callers look up the facts ([`Object`]) and ask; no other place holds a rule about access.

mod grant;
mod losses;
mod object;
#[cfg(test)]
mod tests;

pub use grant::{Denied, Grant, Viewer};
pub use losses::takes_away;
pub use object::{AlbumRole, Object, Reach};

use crate::asset::Visibility;
use crate::id::UserId;
use crate::permission::{Permission, allows};

/// Whether `viewer` may do what needs `permission` with `object`.
///
/// # Errors
/// [`Denied`] says why not; callers turn it into their protocol's words.
pub fn check(viewer: &Viewer, permission: Permission, object: Object) -> Result<(), Denied> {
    match &viewer.grant {
        Grant::SharedLink { allow_download, allow_upload, .. } => {
            return by_link(permission, object, *allow_download, *allow_upload);
        }
        Grant::ApiKey { permissions } if !allows(permissions, permission) => {
            return Err(Denied::MissingPermission(permission));
        }
        Grant::ApiKey { .. } | Grant::Session { .. } => {}
    }
    let may = match object {
        Object::Route { admin } if admin && !viewer.is_admin => return Err(Denied::NotAdmin),
        Object::Route { .. } | Object::SharedRoute => true,
        Object::Owned { owner_id } => owner_id == viewer.user_id,
        Object::Timeline { owner_id, is_partner } => {
            owner_id == viewer.user_id || (is_partner && permission == Permission::TimelineRead)
        }
        Object::Album { role, .. } => role.is_some_and(|role| role_allows(role, permission)),
        Object::Activity { author_id, role, is_enabled } => match permission {
            Permission::ActivityCreate => is_enabled && role.is_some(),
            _ => author_id == Some(viewer.user_id) || role == Some(AlbumRole::Owner),
        },
        Object::Asset { owner_id, visibility, .. } if owner_id == viewer.user_id => {
            // What is behind the PIN is never shared, not even by who opened it.
            visibility != Visibility::Locked
                || (viewer.grant == (Grant::Session { elevated: true })
                    && permission != Permission::AssetShare)
        }
        Object::Asset { visibility, is_trashed, reach, .. } => {
            !is_trashed && reach_allows(reach, visibility, permission)
        }
    };
    if may { Ok(()) } else { Err(Denied::NoAccess) }
}

/// What a person's part in an album lets them do with it.
pub(crate) fn role_allows(role: AlbumRole, permission: Permission) -> bool {
    match permission {
        Permission::AlbumRead
        | Permission::AlbumDownload
        | Permission::AlbumStatistics
        | Permission::ActivityRead
        | Permission::ActivityStatistics => true,
        Permission::AlbumAssetCreate
        | Permission::AlbumAssetDelete
        | Permission::AlbumUpdate
        | Permission::AlbumShare => role >= AlbumRole::Editor,
        _ => role == AlbumRole::Owner,
    }
}

/// What may be done with somebody else's asset that is not in the trash.
fn reach_allows(reach: Reach, visibility: Visibility, permission: Permission) -> bool {
    let by_album = reach.album.is_some() && visibility != Visibility::Locked;
    let by_partner =
        reach.is_partner && matches!(visibility, Visibility::Timeline | Visibility::Hidden);
    match permission {
        Permission::AssetRead | Permission::AssetView | Permission::AssetDownload => {
            by_album || by_partner
        }
        // Whoever shares everything with somebody lets them pass it on in an album.
        Permission::AssetShare => by_partner,
        _ => false,
    }
}

/// What whoever holds a link may do: never more than the link names, whoever made it.
fn by_link(
    permission: Permission,
    object: Object,
    allow_download: bool,
    allow_upload: bool,
) -> Result<(), Denied> {
    let allowed = match permission {
        Permission::AssetDownload | Permission::AlbumDownload => allow_download,
        Permission::AssetUpload | Permission::AlbumAssetCreate => allow_upload,
        _ => true,
    };
    let may = match object {
        Object::Route { .. } => return Err(Denied::NotForLinks),
        Object::SharedRoute => true,
        Object::Owned { .. } | Object::Timeline { .. } | Object::Activity { .. } => false,
        Object::Album { by_link, .. } => {
            by_link
                && matches!(
                    permission,
                    Permission::AlbumRead
                        | Permission::AlbumDownload
                        | Permission::AlbumAssetCreate
                )
        }
        Object::Asset { visibility, is_trashed, reach, .. } => {
            reach.by_link
                && !is_trashed
                && visibility != Visibility::Locked
                && matches!(
                    permission,
                    Permission::AssetRead | Permission::AssetView | Permission::AssetDownload
                )
        }
    };
    if may && allowed { Ok(()) } else { Err(Denied::NoAccess) }
}

/// Whether somebody's asset needs [`Reach`] to be looked up: the viewer's own are decided without.
#[must_use]
pub fn needs_reach(viewer: &Viewer, owner_id: UserId) -> bool {
    owner_id != viewer.user_id || matches!(viewer.grant, Grant::SharedLink { .. })
}
