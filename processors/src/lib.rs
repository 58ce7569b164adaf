//! From JetStream to work to commands.
//!
//! A message is a bell: the processor reads the asset's stream and does what is still wanted.
//! It may hear a bell twice, late or never; the aggregate has the last word, and [`reconcile`] looks for
//! work whose bell was lost. What nobody could find again is no bell: [`errands`] and [`requests`] stand in
//! tables until they are done.

mod album_news;
pub mod consumer;
pub mod develop;
mod duplicates;
mod edits;
pub mod embed;
pub mod encode;
pub mod errands;
pub mod error;
pub mod faces;
pub mod gate;
mod history;
pub mod housekeeping;
pub mod in_flight;
mod incoming;
pub mod integrity;
mod leave;
pub mod library;
pub mod live;
mod looking;
mod looks;
mod manual;
pub mod memories;
pub mod moves;
pub mod parked;
pub mod people;
pub mod priority;
pub mod recognise;
pub mod reconcile;
pub mod requests;
pub mod rerun;
pub mod sidecar;
pub mod sweep;
pub mod text;
mod trials;
mod wishes;
pub mod worker;

pub use error::ProcessorError;
pub use gate::Gate;
pub use in_flight::InFlight;
pub use trials::Trying;
pub use worker::Worker;
