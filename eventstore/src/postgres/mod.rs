//! The event store on PostgreSQL.
//!
//! `call.rs` is an append on its way in, `gather.rs` makes batches of calls, `append.rs` writes one,
//! `read.rs` reads, `past.rs` reads the log as it was, `keys.rs` keeps the subjects' keys, `listen.rs` hears other
//! processes, `beside.rs` lends keys and bells to a log in KurrentDB,
//! `proof/` keeps the Merkle tree over the log,
//! `backup/` copies the log out and in, `recent.rs` remembers what was just appended, `select.rs` looks for events
//! that somebody asks for, `sequencer.rs` makes the global order.

mod append;
pub(crate) mod backup;
#[cfg(feature = "kurrent")]
mod beside;
mod blocks;
mod call;
mod gather;
mod keys;
mod leader;
mod listen;
mod past;
mod proof;
mod read;
mod recent;
mod select;
mod sequencer;
mod store;

#[cfg(feature = "kurrent")]
pub(crate) use call::{CallEvent, CallStream};
pub(crate) use leader::{LeaderLock, Leadership};
pub use proof::{ProofLog, Prover, ProverOptions};
pub(crate) use read::{Header, headers};
pub use sequencer::Sequencer;
pub use store::{PostgresOptions, PostgresStore};
