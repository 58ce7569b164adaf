//! The events of an external library.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::id::UserId;
use crate::sealed::Sealed;

/// What a library is; personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LibrarySettings {
    /// Its name.
    pub name: String,
    /// Folders whose files it has, absolute.
    pub import_paths: Vec<String>,
    /// Patterns of paths that it leaves out.
    pub exclusion_patterns: Vec<String>,
}

/// A library was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryCreated {
    /// Whose assets its files are.
    pub owner_id: UserId,
    /// What it is.
    pub settings: Sealed<LibrarySettings>,
}

/// It is something else from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryChanged {
    /// What it is.
    pub settings: Sealed<LibrarySettings>,
}

/// Its files are to be looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryScanRequested {}

/// What a scan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanCounts {
    /// Files that were looked at.
    pub files: u64,
    /// New assets.
    pub imported: u64,
    /// Assets whose file lies elsewhere now.
    pub relocated: u64,
    /// Assets whose file has other content or another time now.
    pub changed: u64,
    /// Assets whose file is there no more, or is left out.
    pub offline: u64,
    /// Assets whose file is there again.
    pub online: u64,
    /// Files that could not be read, or that were being written.
    pub unread: u64,
    /// Import paths that were not there: nothing under them was touched.
    pub roots_away: u64,
}

/// A folder as it was found: an empty one is believed only while it is the same folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenRoot {
    /// The import path.
    pub path: String,
    /// Number of the file system.
    pub device: u64,
    /// Number of the folder in it.
    pub inode: u64,
}

/// Its files were looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryScanned {
    /// Which of the scans that were asked for this was; from 1.
    pub scan: u32,
    /// What it did.
    pub counts: ScanCounts,
    /// The folders of its import paths.
    pub roots: Sealed<Vec<SeenRoot>>,
}

/// Deleted: its assets are deleted after it, its files stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryDeleted {}

events! {
    /// Everything that can have happened to a library.
    LibraryEvent for "library" {
        Changed(LibraryChanged) 1,
        Created(LibraryCreated) 1,
        Deleted(LibraryDeleted) 1,
        ScanRequested(LibraryScanRequested) 1,
        Scanned(LibraryScanned) 1,
    }
}
