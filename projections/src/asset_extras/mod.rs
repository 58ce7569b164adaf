//! What stands beside an asset: its group of duplicates, the values that programs keep with it, and the
//! folder of its original.

mod apply;
mod folders;
mod query;
mod view;

pub use apply::AssetExtrasProjection;
pub use folders::FoldersProjection;
pub use view::{AssetExtras, AssetPage, KeyValueRow, StackShown};
