//! Jobs and re-runs that people asked for, and whether they were done.

mod apply;
mod query;

pub use apply::QueueRequestsProjection;
pub use query::QueueRequest;
