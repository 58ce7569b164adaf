//! A file as the body of a request: read a little ahead of the network, and no further.

use std::io;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::content::{CHUNK_BYTES, Content};

/// Chunks that are read ahead.
const CHUNKS_AHEAD_MAX: usize = 4;

/// The bytes of a file. A read that fails ends them.
pub(crate) fn stream(content: &Content) -> BoxStream<'static, io::Result<Bytes>> {
    let here = match content {
        Content::Here(here) => here.clone(),
        Content::Elsewhere(file) => return file.open(),
    };
    let (sender, receiver) = tokio::sync::mpsc::channel(CHUNKS_AHEAD_MAX);
    drop(tokio::task::spawn_blocking(move || {
        // Whoever reads no more has gone away.
        let sent =
            here.read(&mut |chunk| sender.blocking_send(Ok(Bytes::copy_from_slice(chunk))).is_ok());
        if let Err(error) = sent {
            drop(sender.blocking_send(Err(error)));
        }
    }));
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    })
    .boxed()
}

/// The bytes of a file of a known length. What is wrong with the file, and not with the network, is kept in `broken`.
pub(crate) fn body(
    content: &Content,
    size_bytes: u64,
    broken: Arc<OnceLock<String>>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let changed = || io::Error::other("the file was changed meanwhile");
    futures::stream::unfold(
        (stream(content), size_bytes, broken),
        move |(mut bytes, left, broken)| async move {
            let next = match bytes.next().await {
                Some(Ok(chunk)) => {
                    let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                    let left = left.checked_sub(length);
                    left.map(|left| (chunk, left)).ok_or_else(changed)
                }
                Some(Err(error)) => Err(error),
                None if left == 0 => return None,
                None => Err(changed()),
            };
            Some(match next {
                Ok((chunk, left)) => (Ok(chunk), (bytes, left, broken)),
                Err(error) => {
                    drop(broken.set(error.to_string()));
                    (Err(error), (bytes, left, broken))
                }
            })
        },
    )
    .boxed()
}

/// All bytes of a small file.
///
/// # Errors
/// When it cannot be read, or has more than `size_bytes_max`.
pub(crate) async fn whole(content: &Content, size_bytes_max: usize) -> io::Result<Vec<u8>> {
    let (mut chunks, mut whole) = (stream(content), Vec::with_capacity(CHUNK_BYTES));
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if chunk.len() > size_bytes_max.saturating_sub(whole.len()) {
            return Err(io::Error::other(format!("it is larger than {size_bytes_max} bytes")));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn body_says_what_is_wrong_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"abc").unwrap();
        let content = Content::disk(path);
        for (size_bytes, is_whole) in [(3, true), (2, false), (4, false)] {
            let broken = Arc::new(OnceLock::new());
            let chunks: Vec<_> =
                body(&content, size_bytes, Arc::clone(&broken)).take(2).collect().await;
            assert_eq!(chunks.iter().all(Result::is_ok), is_whole, "{size_bytes}");
            assert_eq!(broken.get().is_none(), is_whole, "{size_bytes}");
        }
        let gone = Arc::new(OnceLock::new());
        let content = Content::disk(folder.path().join("b.jpg"));
        let chunks: Vec<_> = body(&content, 1, Arc::clone(&gone)).take(1).collect().await;
        assert!(chunks[0].is_err() && gone.get().is_some());
    }

    #[tokio::test]
    async fn small_files_have_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xmp");
        std::fs::write(&path, b"abc").unwrap();
        let content = Content::disk(path);
        assert_eq!(whole(&content, 3).await.unwrap(), b"abc");
        whole(&content, 2).await.unwrap_err();
    }
}
