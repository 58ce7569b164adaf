//! The embedded PostgreSQL: its folder, its process, its roles.

mod access;
mod cluster;
mod program;
mod roles;
mod socket;
mod start;

pub use access::PostgresAccess;
pub(super) use start::start;
