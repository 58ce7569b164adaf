//! The timeline: how many assets each month holds, and the months themselves as columns of the answer.

mod apply;
mod bounds;
mod query;
mod view;

pub(crate) use apply::Timeline;
pub use apply::TimelineProjection;
pub use bounds::Bounds;
pub use query::{BucketFilter, BucketOrder};
pub use view::{BucketCount, Cells};
pub(crate) use view::{Placed, TimelineRow};
