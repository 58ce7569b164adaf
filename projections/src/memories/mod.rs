//! Memories with their assets.

mod apply;
mod query;
mod view;

pub use apply::MemoriesProjection;
pub use query::{MemoryFilter, MemoryOrder};
pub use view::{MemoryRow, OnThisDayAsset};
