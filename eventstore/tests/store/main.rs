//! The stores against their contract, and what only PostgreSQL and JetStream can show.

#![expect(clippy::expect_used, reason = "these are tests")]

mod backup;
mod contract;
mod gaps;
mod log_table;
mod map;
mod proof;
mod races;
mod relay;
mod restore;
mod support;
