//! Albums: their page, who has which part in them, what is in them, and what is kept about that.

mod apply;
mod deleted;
mod facts;
mod inside;
mod kept;
mod query;
mod reach;
mod view;

pub(crate) use apply::Albums;
pub use apply::AlbumsProjection;
pub use deleted::DeletedAlbumsProjection;
pub use query::{AlbumCounts, AlbumFilter};
pub use reach::{AlbumPart, AssetReach};
pub use view::{AlbumMarker, AlbumView, Member};
