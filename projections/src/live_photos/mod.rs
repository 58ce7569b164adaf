//! Stills and films that may belong together, for the processor that puts them together.

mod apply;
mod query;

pub use apply::LivePhotosProjection;
