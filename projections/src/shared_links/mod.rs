//! Shared links that open something, and the assets that they show one by one.

mod apply;
mod assets;
mod query;
mod view;

pub(crate) use apply::SharedLinks;
pub use apply::SharedLinksProjection;
pub use view::{LinkedAsset, SharedLinkRow};
