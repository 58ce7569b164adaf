//! The one door to stored bytes: originals and what is made from them.
//!
//! A blob has a key, never a path, so that an object store can stand behind the same type later.
//! Today everything lies in one local folder: `library/` (originals), `derived/` (made again at
//! any time) and `tmp/` (being written), on one file system so that a rename is atomic.

mod derived;
mod error;
mod key;
mod location;
mod moving;
mod store;
mod walk;
mod whole;
mod writer;
mod written;

pub use derived::DerivedFile;
pub use error::BlobError;
pub use key::{Area, BlobKey, KeyError, Role};
pub use location::{Location, is_external};
pub use store::{BlobStat, BlobStore, Space};
pub use whole::is_whole;
pub use writer::{BlobWriter, StagedBlob};
pub use written::HowWritten;
