//! From JetStream to work to commands.
//!
//! A message is a bell: the processor reads the asset's stream and does what is still wanted.
//! It may hear a bell twice, late or never; the aggregate has the last word, and [`reconcile`] looks for
//! work whose bell was lost.

pub mod consumer;
pub mod develop;
pub mod error;
pub mod housekeeping;
pub mod in_flight;
mod manual;
pub mod memories;
pub mod parked;
pub mod people;
pub mod priority;
pub mod reconcile;
pub mod rerun;
pub mod sweep;
pub mod worker;

pub use error::ProcessorError;
pub use in_flight::InFlight;
pub use worker::Worker;
