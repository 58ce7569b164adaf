//! Reading a blob of a bucket piece by piece, so that no request is open while a client takes its time.

use std::io::{self, Read};
use std::ops::Range;

use bytes::{Buf as _, Bytes};
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::runtime::Handle;

use super::Bucket;
use crate::blob::writer::in_background;
use crate::blob::{BlobError, BlobKey};

/// Bytes read in one request.
const READ_BYTES: u64 = 2 * 1024 * 1024;
/// Requests made ahead of who reads a stream.
const READS_AT_ONCE: usize = 2;

/// A part of a blob that is yet to be read.
#[derive(Debug)]
pub(in crate::blob) struct Ranges {
    bucket: Bucket,
    key: BlobKey,
    tag: Option<String>,
    left: Range<u64>,
    read: Bytes,
    runtime: Handle,
}

impl Ranges {
    /// Of a blob that was asked about before. To be called where a runtime is.
    pub(in crate::blob) fn new(
        bucket: Bucket,
        key: BlobKey,
        tag: Option<String>,
        left: Range<u64>,
    ) -> Self {
        Self { bucket, key, tag, left, read: Bytes::new(), runtime: Handle::current() }
    }

    /// The bytes as they come.
    pub(in crate::blob) fn into_stream(self) -> BoxStream<'static, io::Result<Bytes>> {
        let Self { bucket, key, tag, left, .. } = self;
        let step = usize::try_from(READ_BYTES).unwrap_or(usize::MAX);
        let end = left.end;
        stream::iter(left.step_by(step))
            .map(move |first| {
                let (bucket, key, tag) = (bucket.clone(), key.clone(), tag.clone());
                async move { piece(&bucket, &key, tag, first..end.min(first + READ_BYTES)).await }
            })
            .buffered(READS_AT_ONCE)
            .boxed()
    }
}

/// Blocks; not for threads of the runtime.
impl Read for Ranges {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.is_empty() && !self.left.is_empty() {
            let next = self.left.start..self.left.end.min(self.left.start + READ_BYTES);
            self.left.start = next.end;
            let reading = piece(&self.bucket, &self.key, self.tag.clone(), next);
            self.read = self.runtime.block_on(reading)?;
        }
        let count = buffer.len().min(self.read.len());
        self.read.split_to(count).copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Bucket {
    /// Length in bytes and BLAKE3 of a blob, read through; `None` when there is none.
    pub(in crate::blob) async fn digest(
        &self,
        key: &BlobKey,
    ) -> Result<Option<(u64, [u8; 32])>, BlobError> {
        let Some(found) = self.head(key).await? else { return Ok(None) };
        let failed = |source: io::Error| match source.downcast::<BlobError>() {
            Ok(error) => error,
            Err(source) => BlobError::Read { key: key.clone(), source },
        };
        let (bucket, key) = (self.clone(), key.clone());
        let mut pieces = Ranges::new(bucket, key, found.e_tag, 0..found.size).into_stream();
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(failed)?;
            let hashed = move || {
                hasher.update(&piece);
                Ok(hasher)
            };
            hasher = in_background(hashed).await?;
        }
        Ok(Some((hasher.count(), *hasher.finalize().as_bytes())))
    }
}

async fn piece(
    bucket: &Bucket,
    key: &BlobKey,
    tag: Option<String>,
    range: Range<u64>,
) -> io::Result<Bytes> {
    let length = range.end - range.start;
    let read = bucket.range(key, range, tag.as_deref()).await.map_err(io::Error::other)?;
    let read = read.ok_or(io::ErrorKind::NotFound)?;
    if u64::try_from(read.len()).ok() != Some(length) {
        let source = io::ErrorKind::UnexpectedEof.into();
        return Err(io::Error::other(BlobError::Read { key: key.clone(), source }));
    }
    Ok(read)
}
