//! Bytes made on a blocking thread, as the body of an answer: the thread waits while the client is slow.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;

/// What is sent at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// Pieces that are made before the client has taken them.
const CHUNKS_AHEAD_MAX: usize = 2;
/// A client that takes no piece for so long has its connection cut: the thread is wanted by others.
const TAKEN_WITHIN: Duration = Duration::from_secs(120);

enum Sent {
    Chunk(Bytes),
    /// Everything was sent. A body that ends without it was cut off, and the client must see that.
    End,
    Failed(io::Error),
}

/// Where the bytes go.
pub(crate) struct Pump {
    sender: mpsc::Sender<Sent>,
    chunk: Vec<u8>,
    runtime: Handle,
}

impl Pump {
    fn send(&mut self, sent: Sent) -> io::Result<()> {
        let sending = self.sender.send_timeout(sent, TAKEN_WITHIN);
        self.runtime.block_on(sending).map_err(|error| match error {
            SendTimeoutError::Timeout(_) => io::ErrorKind::TimedOut.into(),
            SendTimeoutError::Closed(_) => io::ErrorKind::BrokenPipe.into(),
        })
    }

    fn send_chunk(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES));
        self.send(Sent::Chunk(chunk.into()))
    }
}

impl Write for Pump {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES - self.chunk.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.chunk.extend_from_slice(taken);
        if self.chunk.len() >= CHUNK_BYTES {
            self.send_chunk()?;
        }
        Ok(taken.len())
    }

    /// Nothing: pieces leave when they are full, and at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body of what `work` writes. When it fails the connection is cut.
pub(crate) fn pumped(work: impl FnOnce(&mut Pump) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD_MAX);
    let runtime = Handle::current();
    drop(tokio::task::spawn_blocking(move || {
        let mut pump = Pump { sender, chunk: Vec::with_capacity(CHUNK_BYTES), runtime };
        let ended = match work(&mut pump).and_then(|()| pump.send_chunk()) {
            Ok(()) => Sent::End,
            Err(error) => Sent::Failed(error),
        };
        if pump.send(ended).is_err() {
            tracing::debug!("a client hung up before the end");
        }
    }));
    Body::from_stream(futures::stream::unfold(Some(receiver), async |receiver| {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Sent::Chunk(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(Sent::End) => None,
            Some(Sent::Failed(error)) => {
                tracing::warn!(%error, "an answer was cut off");
                Some((Err(error), None))
            }
            None => Some((Err(io::Error::other("the sender is gone")), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_arrive_in_order() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(700_000).collect();
        let made = bytes.clone();
        let body = pumped(move |pump| pump.write_all(&made));
        assert!(axum::body::to_bytes(body, usize::MAX).await.unwrap() == bytes);
    }

    #[tokio::test]
    async fn failure_cuts_the_body_off() {
        let body = pumped(|pump| {
            pump.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        axum::body::to_bytes(body, usize::MAX).await.unwrap_err();
    }
}
