//! How many assets and bytes each person has, by kind and state; kept as rows change, never counted.

mod apply;
mod query;

pub use apply::StatisticsProjection;
pub use query::{AssetCounts, Sum, Usage};
