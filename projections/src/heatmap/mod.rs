//! How many assets each person uploaded or took on each day; kept as rows change, never counted.

mod apply;
mod query;

pub use apply::HeatmapProjection;
pub use query::HeatmapKind;
