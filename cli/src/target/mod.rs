//! Where files go: into a batch, or to a server that knows none.

mod batch;
mod plain;
mod said;

pub(crate) use batch::InBatch;
pub(crate) use plain::Plain;
pub(crate) use said::{open, people_of};

/// Where files go.
pub(crate) enum Target {
    /// A batch of a Calotype server.
    Batch(InBatch),
    /// Any Immich server.
    Plain(Box<Plain>),
}
