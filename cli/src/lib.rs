//! The importer, mounted as `calotype import` and `calotype batches`. It speaks only the public HTTP API, so that it
//! works from any machine, and is a client like any other.

pub mod batches;
mod content;
mod digest;
mod entry;
mod group;
mod import;
mod journal;
mod known;
pub mod local;
mod notes;
mod placing;
mod plan;
mod progress;
mod reader;
mod report;
mod scan;
mod server;

pub mod args;

pub use import::import;
