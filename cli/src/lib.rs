//! The importer, mounted as `calotype import` and `calotype batches`. It speaks only the public HTTP API, so that it
//! works from any machine, and is a client like any other.

mod archive;
pub mod batches;
mod chunks;
mod content;
mod digest;
mod entry;
mod file_date;
mod group;
mod import;
mod journal;
mod known;
pub mod local;
mod made;
mod notes;
mod placing;
mod plan;
mod progress;
mod reader;
mod remote;
mod report;
mod scan;
mod server;
mod sidecar;
mod source;
mod target;
mod walk;

pub mod args;

pub use import::import;
