//! A file as the body of a request: read a little ahead of the network, and no further.

use std::io::Read as _;
use std::path::PathBuf;

use bytes::Bytes;
use futures::Stream;

/// Bytes of one chunk.
const CHUNK_BYTES: usize = 128 * 1024;
/// Chunks that are read ahead.
const CHUNKS_AHEAD_MAX: usize = 4;

/// The bytes of a file. A read that fails breaks the body off.
pub(crate) fn stream(path: PathBuf) -> impl Stream<Item = std::io::Result<Bytes>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(CHUNKS_AHEAD_MAX);
    drop(tokio::task::spawn_blocking(move || {
        let mut file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = file.read(&mut chunk);
            let is_end = matches!(read, Ok(0) | Err(_));
            let sent = read.map(|length| {
                chunk.truncate(length);
                Bytes::from(chunk)
            });
            // Whoever reads no more has gone away.
            if matches!(sent, Ok(ref bytes) if bytes.is_empty())
                || sender.blocking_send(sent).is_err()
                || is_end
            {
                return;
            }
        }
    }));
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    })
}
