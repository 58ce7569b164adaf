//! A link by which anybody who holds it sees an album or some assets.

mod aggregate;
mod command;
mod event;

pub use aggregate::SharedLink;
pub use command::{LINK_ASSETS_MAX, LinkChange, SharedLinkCommand, SharedLinkError};
pub use event::{
    LinkSwitches, LinkTarget, SharedLinkAssetsAdded, SharedLinkAssetsRemoved, SharedLinkCreated,
    SharedLinkDescriptionChanged, SharedLinkEvent, SharedLinkExpiryChanged,
    SharedLinkPasswordChanged, SharedLinkRevoked, SharedLinkSlugChanged, SharedLinkSwitchesChanged,
};
