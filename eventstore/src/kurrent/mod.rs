//! The event store on KurrentDB (docs/adr/0029): streams and their order are there, and PostgreSQL keeps what
//! KurrentDB cannot: keys and attachments that are destroyed, places without gaps, and a copy to read by SQL.
//!
//! `store.rs` is the store, `append.rs` an append from its look to its last write, `decided.rs` the calls that
//! need more than one write, `look.rs` what stands in the streams already, `session.rs` the locks of one append,
//! `follow.rs` copies and numbers, `record.rs` is the form of an event over there, `client.rs` the connection.

mod append;
mod client;
mod decided;
mod follow;
mod look;
mod record;
mod session;
mod store;

pub use follow::KurrentFollower;
pub use store::{KurrentOptions, KurrentStore};
