//! External libraries, and the files that are their assets.

mod files;
mod query;
mod row;

pub use query::{LibraryCounts, folders};
pub use row::{LibrariesProjection, LibraryFile, LibraryRow};
