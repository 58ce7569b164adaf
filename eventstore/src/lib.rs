//! When it happened: append, read, sequence, seal, relay.
//!
//! The store keeps names, versions and JSON; it knows no event by name.
//! [`EventStore`] is the interface, [`PostgresStore`] the real one, [`MemoryStore`] the one for tests;
//! with the feature `kurrent` there is `KurrentStore`. [`Log`] opens the one that is asked for.
//! [`ProofLog`] keeps a Merkle tree over the log and proves from it what happened.
//! [`backup`] copies the log byte for byte, and loads such copies.
//! [`Sequencer`] gives each committed event its place in the global order, [`Relay`] rings JetStream.

pub mod backup;
mod error;
mod event;
mod keyring;
#[cfg(feature = "kurrent")]
mod kurrent;
mod log;
mod memory;
mod past;
mod payload;
mod postgres;
pub mod proof;
mod relay;
mod seal;
mod selection;
mod store;
mod stream;
mod validate;

pub mod contract;
pub mod testing;

pub use error::{AppendError, RelayError, StoreError};
pub use event::{Actor, ActorKind, Append, Appended, Envelope, NewEvent, Recorded};
pub use keyring::Keyring;
#[cfg(feature = "kurrent")]
pub use kurrent::{KurrentFollower, KurrentOptions, KurrentStore};
pub use log::{Log, Orderer};
pub use memory::MemoryStore;
pub use past::{Deed, Last, Piece, Touched, Until};
pub use payload::Payload;
pub use postgres::{PostgresOptions, PostgresStore, ProofLog, Prover, ProverOptions, Sequencer};
pub use relay::{Relay, RelayOptions};
pub use selection::{LOOKED_POSITIONS_MAX, Selected, Selection};
pub use store::EventStore;
pub use stream::{ExpectedRevision, GlobalPosition, Revision, StreamId};
