//! When it happened: append, read, sequence, seal, relay.
//!
//! The store keeps names, versions and JSON; it knows no event by name.
//! [`EventStore`] is the interface, [`PostgresStore`] the real one, [`MemoryStore`] the one for tests.
//! [`ProofLog`] keeps a Merkle tree over the log and proves from it what happened.
//! [`Sequencer`] gives each committed event its place in the global order, [`Relay`] rings JetStream.

mod error;
mod event;
mod keyring;
mod memory;
mod past;
mod payload;
mod postgres;
pub mod proof;
mod relay;
mod seal;
mod store;
mod stream;
mod validate;

pub mod contract;
pub mod testing;

pub use error::{AppendError, RelayError, StoreError};
pub use event::{Actor, ActorKind, Append, Appended, Envelope, NewEvent, Recorded};
pub use keyring::Keyring;
pub use memory::MemoryStore;
pub use past::{Deed, Last, Until};
pub use payload::Payload;
pub use postgres::{PostgresOptions, PostgresStore, ProofLog, Prover, ProverOptions, Sequencer};
pub use relay::{Relay, RelayOptions};
pub use store::EventStore;
pub use stream::{ExpectedRevision, GlobalPosition, Revision, StreamId};
