//! Real servers for tests: one PostgreSQL and one nats-server for all test processes, and in them a
//! database or a stream of each test's own.
//!
//! The servers are started by the first test that needs them and end by themselves two minutes after the
//! last one. They are throw-away: nothing in them is synced to disk.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test cannot go on without its servers, and should say why"
)]

mod nats;
mod postgres;
mod server;

pub use nats::{TestNats, nats};
pub use postgres::{TestDatabase, database, empty_database, postgres_program};
