//! Tags, and which assets carry them.

mod apply;
mod query;
mod view;

pub(crate) use apply::Tags;
pub use apply::TagsProjection;
pub use view::TagRow;
