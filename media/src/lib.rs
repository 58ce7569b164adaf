//! Bytes: where files lie, what they are, what they say about themselves, and smaller pictures of them.
//!
//! It also names places, see [`gazetteer`].
//!
//! This room knows no other room of the project: it speaks of keys, files, pixels and facts,
//! never of assets, events or users.
//! Foreign bytes are opened only in child processes, see [`decoder`].

pub mod blob;
pub mod decoder;
pub mod external;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod gazetteer;
pub mod hls;
pub mod image;
pub mod kind;
pub mod limits;
pub mod metadata;
pub mod objects;
mod raw;
pub mod sidecar;
pub mod strip;
pub mod transcode;
mod video;
