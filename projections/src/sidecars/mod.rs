//! Which sidecars are behind what people say, for the processor that writes them.

mod apply;
mod query;

pub use apply::SidecarsProjection;
