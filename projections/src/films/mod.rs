//! Films, and the copies of them that every player shows.

mod apply;
mod query;

pub use apply::FilmsProjection;
