//! A double of KurrentDB for one test: its gRPC protocol on loopback, as far as the client of the event store
//! speaks it, with a log in memory.
//!
//! It was written from the published protocol, and was not compared with the real server.
//! It knows appending with an expected revision and the idempotency of that, reading a stream and `$all` forwards
//! and backwards, and the version of the server. It has no subscriptions, users, metadata, deletion or cluster.

mod log;
mod messages;
mod service;

pub use service::Kurrent;
