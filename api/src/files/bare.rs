//! Files without what they say about themselves, for visitors of links that hide metadata.

use std::io;

use calotype_media::blob::{BlobFile, BlobStore, Location};
use calotype_media::decoder::{DecodeError, DecoderPool};
use calotype_media::strip::Stripped;
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
pub(crate) async fn open_file(blobs: &BlobStore, key: &str) -> io::Result<Option<BlobFile>> {
    let lies = Location::parse(key).map_err(io::Error::other)?;
    blobs.open_at(&lies).await.map_err(io::Error::other)
}

/// Opens a blob without its metadata; `None` when there is no blob, or when it cannot be told apart. `decoders`
/// are those for the files of its owner: one of them tells which pieces of the file to send.
///
/// # Errors
/// As [`open_file`]; when no decoder can be asked.
pub(crate) async fn open_bare(
    blobs: &BlobStore,
    decoders: &DecoderPool,
    key: &str,
) -> io::Result<Option<Bare>> {
    let Some(file) = open_file(blobs, key).await? else { return Ok(None) };
    let plan = match decoders.strip(&file).await {
        Ok(plan) => plan,
        Err(error @ (DecodeError::Unavailable { .. } | DecodeError::Unreadable { .. })) => {
            return Err(io::Error::other(error));
        }
        // A file that brings its child down cannot be told apart.
        Err(_) => None,
    };
    let Some(plan) = plan else { return Ok(None) };
    tokio::task::spawn_blocking(move || {
        let modified = file.metadata()?.modified()?;
        Ok(Some(Bare { length: plan.length(), modified: modified.into(), reader: plan.read(file) }))
    })
    .await
    .map_err(io::Error::other)?
}
