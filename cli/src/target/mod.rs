//! Where files go: into a batch, or to a server that knows none.

mod batch;
mod kind;
mod people;
mod plain;

pub(crate) use batch::InBatch;
pub(crate) use kind::{Target, open, people_of};
pub(crate) use plain::Plain;
