//! What can go wrong with stored bytes.

use std::{io, path::PathBuf};

use super::{BlobKey, Outage};

/// Errors of the blob store. No message holds a file's name.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A folder of the store cannot be made or read.
    #[error("failed to prepare blob folder {path}")]
    Prepare {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A temporary file cannot be made, written or synced. Nothing was stored.
    #[error("failed to write a temporary blob")]
    Write {
        /// Why.
        source: io::Error,
    },
    /// A written file cannot be moved to its key. Whether it is there is not certain.
    #[error("failed to put blob {} into place", key.for_logs())]
    Commit {
        /// The key.
        key: BlobKey,
        /// Why.
        source: io::Error,
    },
    /// There is a blob under the key already; it was not touched.
    #[error("blob {} exists already", key.for_logs())]
    Exists {
        /// The key.
        key: BlobKey,
    },
    /// A blob cannot be read.
    #[error("failed to read blob {}", key.for_logs())]
    Read {
        /// The key.
        key: BlobKey,
        /// Why.
        source: io::Error,
    },
    /// A file outside the store cannot be read.
    #[error("failed to read an external file")]
    Outside {
        /// Why.
        source: io::Error,
    },
    /// A blob cannot be removed.
    #[error("failed to remove blob {}", key.for_logs())]
    Remove {
        /// The key.
        key: BlobKey,
        /// Why.
        source: io::Error,
    },
    /// The free space cannot be asked.
    #[error("failed to ask for free space")]
    Space {
        /// Why.
        source: io::Error,
    },
    /// The bucket did not do it. Nothing is said about the blob, and later it may be done; of a write it is not
    /// certain whether it was.
    #[error("the bucket is out of reach")]
    Away {
        /// Why.
        source: Outage,
    },
    /// No client can be made for a bucket.
    #[error("the address of the bucket cannot be used")]
    Place,
    /// The runtime is shutting down. Nothing was stored.
    #[error("blob task was cancelled")]
    Cancelled,
}

impl BlobError {
    /// Whether the bucket, and no blob, is at fault.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }

    /// Whether the bucket would say the same another time, until somebody mends the key or the configuration.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Away { source } if source.is_refusal())
    }
}
