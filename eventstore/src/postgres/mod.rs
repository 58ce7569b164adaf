//! The event store on PostgreSQL.
//!
//! `call.rs` is an append on its way in, `gather.rs` makes batches of calls, `append.rs` writes one,
//! `read.rs` reads, `past.rs` reads the log as it was, `keys.rs` keeps the subjects' keys, `listen.rs` hears other processes,
//! `proof/` keeps the Merkle tree over the log,
//! `recent.rs` remembers what was just appended, `sequencer.rs` makes the global order.

mod append;
mod call;
mod gather;
mod keys;
mod leader;
mod listen;
mod past;
mod proof;
mod read;
mod recent;
mod sequencer;
mod store;

pub(crate) use leader::{LeaderLock, Leadership};
pub use proof::{ProofLog, Prover, ProverOptions};
pub(crate) use read::{Header, headers};
pub use sequencer::Sequencer;
pub use store::{PostgresOptions, PostgresStore};
