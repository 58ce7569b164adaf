//! Comments and likes in albums.

mod apply;
mod query;
mod view;

pub use apply::ActivitiesProjection;
pub use query::ActivityFilter;
pub use view::ActivityRow;
