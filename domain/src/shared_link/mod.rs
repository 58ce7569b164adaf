//! A link by which anybody who holds it sees an album or some assets.

mod aggregate;
mod command;
mod event;
mod undo;

pub use aggregate::SharedLink;
pub use command::{LINK_ASSETS_MAX, LinkChange, SharedLinkCommand, SharedLinkError};
pub use event::{
    LinkSwitches, LinkTarget, SharedLinkAssetsAdded, SharedLinkAssetsRemoved, SharedLinkCreated,
    SharedLinkDescriptionChanged, SharedLinkEvent, SharedLinkExpiryChanged,
    SharedLinkPasswordChanged, SharedLinkRestored, SharedLinkRevoked, SharedLinkSlugChanged,
    SharedLinkSwitchesChanged,
};
pub(crate) use undo::WAYS;
