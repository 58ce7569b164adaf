//! Tags, and which assets carry them.

mod apply;
mod query;
mod view;

pub use apply::TagsProjection;
pub use view::TagRow;
