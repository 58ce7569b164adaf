//! The one door to stored bytes: originals and what is made from them.
//!
//! A blob has a key, never a path, because it lies in one of two places.
//! In the data folder: `library/` (originals), `derived/` (made again at any time) and `tmp/` (being written; in
//! `tmp/uploads/` what comes in pieces), on one file system so that a rename is atomic.
//! Or in a bucket, in folders with the same names ([`remote`]); then the data folder has `tmp/` alone.

mod derived;
mod error;
mod file;
mod incoming;
mod key;
mod location;
mod moving;
mod placing;
pub mod remote;
mod store;
mod together;
mod walk;
mod whole;
mod writer;
mod written;

pub use derived::DerivedFile;
pub use error::BlobError;
pub use file::{BlobFile, RemoteBlob};
pub use incoming::{Digesting, Incoming, PieceDigest, Taken};
pub use key::{Area, BlobKey, KeyError, Role};
pub use location::{Location, is_external};
pub use placing::{FileHere, Placed, Placing};
pub use remote::{LocalFile, Outage, S3Place};
pub use store::{BlobStat, BlobStore, Space};
pub use whole::is_whole;
pub use writer::{BlobWriter, StagedBlob};
pub use written::HowWritten;
