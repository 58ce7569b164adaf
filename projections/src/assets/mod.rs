//! Assets with everything their page shows.

mod apply;
mod placing;
mod query;
mod together;
mod view;

pub(crate) use apply::Assets;
pub use apply::AssetsProjection;
pub use placing::{MovesLeft, Placing};
pub use together::Together;
pub use view::{AssetRow, Downloadable, Edited, EditedPictures};
