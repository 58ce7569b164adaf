//! The embedded PostgreSQL: its folder, its process, its roles.

mod access;
mod cluster;
mod memory;
mod program;
mod roles;
mod socket;
mod start;

pub use access::{PostgresAccess, running_postgres};
pub(super) use start::start;
