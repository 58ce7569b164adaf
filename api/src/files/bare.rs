//! Files without what they say about themselves, for visitors of links that hide metadata.

use std::fs::File;
use std::io;

use calotype_media::blob::{BlobKey, BlobStore};
use calotype_media::strip::{self, Stripped};
use chrono::{DateTime, Utc};

/// A file that says nothing of itself.
pub(crate) struct Bare {
    /// How long it is then.
    pub(crate) length: u64,
    /// When the blob was last changed.
    pub(crate) modified: DateTime<Utc>,
    /// Its bytes.
    pub(crate) reader: Stripped,
}

/// Opens a blob.
///
/// # Errors
/// When the key is no key or the disk refuses.
pub(crate) async fn open_file(blobs: &BlobStore, key: &str) -> io::Result<Option<File>> {
    let key = BlobKey::parse(key).map_err(io::Error::other)?;
    match blobs.open_blob(&key).await.map_err(io::Error::other)? {
        Some(file) => Ok(Some(file.into_std().await)),
        None => Ok(None),
    }
}

/// Opens a blob without its metadata; `None` when there is no blob, or when it cannot be told apart.
///
/// # Errors
/// As [`open_file`].
pub(crate) async fn open_bare(blobs: &BlobStore, key: &str) -> io::Result<Option<Bare>> {
    let Some(file) = open_file(blobs, key).await? else { return Ok(None) };
    tokio::task::spawn_blocking(move || {
        let modified = file.metadata()?.modified()?;
        Ok(strip::plan(&file)?.map(|plan| Bare {
            length: plan.length(),
            modified: modified.into(),
            reader: plan.read(file),
        }))
    })
    .await
    .map_err(io::Error::other)?
}
