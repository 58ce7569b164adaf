//! Files that lie outside the data folder and belong to somebody else: external libraries.
//!
//! This module only reads. Nothing here creates, writes, renames or removes.

mod exclude;
mod file;
mod root;
mod walk;

pub use exclude::{BadPattern, Exclusions};
pub use file::{Digest, Seen, digest, look, modified_at};
pub use root::{PathRefusal, Root, check_root};
pub use walk::{FoundFile, WalkItem, is_media, walk};
