//! What was there at a position of the log: answers folded from the events up to it, by the folds of the read models.
//!
//! Nothing is kept for it: streams are read up to the position, and where nothing that matters happened since, the
//! row of the read model is the answer. Who may see it is decided by whoever asks.

mod albums;
mod asset;
mod library;
mod links;
mod moment;
mod people;
mod reading;
mod sharing;
mod way;

pub use albums::AlbumThen;
pub use library::{LIBRARY_ASSETS_MAX, Shown, ThenAndNow};
pub use links::LinkThen;
pub use moment::Moment;
