//! Assets with everything their page shows.

mod apply;
mod query;
mod view;

pub use apply::AssetsProjection;
pub use view::{AssetRow, Downloadable};
