//! Opened blobs: as files, or piece by piece from a bucket.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::BoxStream;

use super::remote::{Bucket, Ranges};
use super::{BlobError, BlobKey, BlobStore, LocalFile};

/// An open file; a copy that was fetched for it is removed with it.
#[derive(Debug)]
pub struct BlobFile {
    file: File,
    kept: LocalFile,
}

impl BlobFile {
    pub(super) const fn new(file: File, kept: LocalFile) -> Self {
        Self { file, kept }
    }

    /// The file, and what is to be kept as long as it is read.
    #[must_use]
    pub fn into_parts(self) -> (File, LocalFile) {
        (self.file, self.kept)
    }
}

impl From<File> for BlobFile {
    fn from(file: File) -> Self {
        Self { file, kept: LocalFile::at(PathBuf::new()) }
    }
}

impl Deref for BlobFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl DerefMut for BlobFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Read for BlobFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for BlobFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A blob of a bucket that is about to be read. Nothing of it was read yet.
#[derive(Debug)]
pub struct RemoteBlob {
    bucket: Bucket,
    key: BlobKey,
    tag: Option<String>,
    /// Length in bytes.
    pub size_bytes: u64,
    /// When it was last written, as the store says.
    pub modified: SystemTime,
}

impl RemoteBlob {
    /// Some of its bytes, read as they are asked for. To be called where a runtime is. Ends with an error when the
    /// bucket goes away, or the blob is replaced meanwhile.
    #[must_use]
    pub fn stream(self, first: u64, length: u64) -> BoxStream<'static, io::Result<Bytes>> {
        self.ranges(first, length).into_stream()
    }

    /// All of it, for a thread that may block. To be called where a runtime is.
    #[must_use]
    pub fn reader(self) -> Box<dyn Read + Send> {
        let length = self.size_bytes;
        Box::new(self.ranges(0, length))
    }

    fn ranges(self, first: u64, length: u64) -> Ranges {
        let end = first.saturating_add(length).min(self.size_bytes);
        Ranges::new(self.bucket, self.key, self.tag, first.min(end)..end)
    }
}

impl BlobStore {
    /// A blob of the bucket, to be read piece by piece; `None` when there is none, or blobs lie in the folder.
    ///
    /// # Errors
    /// [`BlobError::Away`] when the bucket does not answer.
    pub async fn open_remote(&self, key: &BlobKey) -> Result<Option<RemoteBlob>, BlobError> {
        let Some(bucket) = self.bucket() else { return Ok(None) };
        let found = bucket.head(key).await?;
        Ok(found.map(|found| RemoteBlob {
            bucket: bucket.clone(),
            key: key.clone(),
            tag: found.e_tag,
            size_bytes: found.size,
            modified: found.last_modified.into(),
        }))
    }
}
