//! Who looked at shared links, when and from where.

mod apply;
mod batch;
mod query;
mod view;

pub use apply::LinkViewsProjection;
pub use view::LinkViewRow;
