//! Batches as their owners list them.

mod apply;
mod query;
mod view;

pub use apply::BatchesProjection;
pub use view::BatchRow;
