//! The Merkle tree over the log in PostgreSQL.
//!
//! `stored.rs` reads rows of the log byte for byte, `tiles.rs` reads and writes hashes, `extend.rs` takes new events
//! in, `heads.rs` signs, `keys.rs` has one key follow another, `log.rs` is the interface, `prover.rs` the task, `look.rs` looks at the whole log, `naming.rs`
//! says what differs.

mod extend;
mod heads;
mod keys;
mod log;
mod look;
mod naming;
mod prover;
mod stored;
mod tiles;

pub use log::ProofLog;
pub use prover::{Prover, ProverOptions};
