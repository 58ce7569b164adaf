//! Files that become blobs of a bucket, in parts, and blobs that get a second key.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::{ObjectStoreExt as _, path::Path};

use super::bucket::{Bucket, away};
use crate::blob::writer::in_background;
use crate::blob::{BlobError, BlobKey};

/// Length of a part of an upload in bytes; longer where a file would have too many.
const PART_BYTES: u64 = 8 * 1024 * 1024;
/// The most parts that S3 takes.
const PARTS_MAX: u64 = 10_000;
/// Parts of one upload that are on their way at once.
const PARTS_AT_ONCE: usize = 3;
/// The longest blob that S3 copies in one request.
const COPY_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Where the bytes of parts come from.
enum Source<'a> {
    File(Arc<File>),
    /// A blob of the same bucket.
    Blob(&'a BlobKey, Option<String>),
}

impl Bucket {
    /// Puts a file under a key; returns once the store has said that it is there, with that length. Each request
    /// carries a SHA-256 of its body in its signature, so the store refuses bytes that changed on their way.
    pub(in crate::blob) async fn put_file(
        &self,
        key: &BlobKey,
        file: File,
        size_bytes: u64,
    ) -> Result<(), BlobError> {
        self.send(key, &Source::File(Arc::new(file)), size_bytes).await
    }

    /// Puts a blob under a second key.
    ///
    /// # Errors
    /// As [`crate::blob::BlobStore::duplicate`]. Another process may take the second key between the look and
    /// the copy: whoever calls has claimed it.
    pub(in crate::blob) async fn duplicate(
        &self,
        from: &BlobKey,
        to: &BlobKey,
    ) -> Result<(), BlobError> {
        let Some(found) = self.head(from).await? else {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(BlobError::Read { key: from.clone(), source });
        };
        if self.head(to).await?.is_some() {
            return Err(BlobError::Exists { key: to.clone() });
        }
        if found.size > COPY_BYTES_MAX {
            return self.send(to, &Source::Blob(from, found.e_tag), found.size).await;
        }
        let copied = self.patient.copy(&self.path(from), &self.path(to)).await;
        copied.map_err(|error| away(&error))?;
        self.require_length(to, found.size).await
    }

    async fn send(
        &self,
        key: &BlobKey,
        source: &Source<'_>,
        size_bytes: u64,
    ) -> Result<(), BlobError> {
        let path = self.path(key);
        if size_bytes <= PART_BYTES {
            let _in_memory = self.parts.acquire().await.map_err(|_| BlobError::Cancelled)?;
            let bytes = self.part(source, 0, size_bytes).await?;
            self.patient.put(&path, bytes.into()).await.map_err(|error| away(&error))?;
        } else {
            let begun = self.store.create_multipart(&path).await;
            let id = begun.map_err(|error| away(&error))?;
            if let Err(error) = self.send_parts(&path, &id, source, size_bytes).await {
                // What is left of an upload that nobody ended is for a rule of the bucket.
                self.store.abort_multipart(&path, &id).await.unwrap_or_default();
                return Err(error);
            }
        }
        self.require_length(key, size_bytes).await
    }

    async fn send_parts(
        &self,
        path: &Path,
        id: &String,
        source: &Source<'_>,
        size_bytes: u64,
    ) -> Result<(), BlobError> {
        let part_bytes = PART_BYTES.max(size_bytes.div_ceil(PARTS_MAX));
        let firsts = (0..size_bytes).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX));
        let sent: Vec<PartId> = stream::iter(firsts.enumerate())
            .map(|(index, first)| async move {
                let _in_memory = self.parts.acquire().await.map_err(|_| BlobError::Cancelled)?;
                let length = part_bytes.min(size_bytes - first);
                let bytes = self.part(source, first, length).await?;
                let sent = self.patient.put_part(path, id, index, bytes.into()).await;
                sent.map_err(|error| away(&error))
            })
            .buffered(PARTS_AT_ONCE)
            .try_collect()
            .await?;
        // A store puts the parts together before it answers.
        let ended = self.patient.complete_multipart(path, id, sent).await;
        ended.map(drop).map_err(|error| away(&error))
    }

    async fn part(&self, source: &Source<'_>, first: u64, length: u64) -> Result<Bytes, BlobError> {
        match source {
            Source::File(file) => {
                let file = Arc::clone(file);
                in_background(move || {
                    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
                    file.read_exact_at(&mut bytes, first)
                        .map_err(|source| BlobError::Write { source })?;
                    Ok(bytes.into())
                })
                .await
            }
            Source::Blob(key, tag) => {
                let read = self.range(key, first..first + length, tag.as_deref()).await?;
                read.ok_or_else(|| BlobError::Read {
                    key: (*key).clone(),
                    source: std::io::ErrorKind::NotFound.into(),
                })
            }
        }
    }

    /// Asks whether a blob is there as long as it was sent. One that is not is removed.
    async fn require_length(&self, key: &BlobKey, size_bytes: u64) -> Result<(), BlobError> {
        let found = self.head(key).await?.map(|found| found.size);
        if found == Some(size_bytes) {
            return Ok(());
        }
        self.remove(key).await?;
        let source = std::io::Error::other("the store holds another length than it was sent");
        Err(BlobError::Commit { key: key.clone(), source })
    }
}
