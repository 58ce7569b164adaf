//! Where the bytes of a file lie: on disk, inside an archive, on another server. They can be read more than once, and
//! are never held in memory as a whole.

use std::cell::Cell;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::archive::Archive;
use crate::entry::Entry;

/// Bytes of one chunk.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;

/// A file's bytes.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// On this machine.
    Here(Here),
    /// On another server.
    Elsewhere(Arc<dyn RemoteFile>),
}

/// Bytes on this machine.
#[derive(Clone, Debug)]
pub(crate) enum Here {
    /// A file of its own.
    Disk(Arc<Path>),
    /// A file inside an archive, by its place there.
    Archived(Arc<Archive>, usize),
}

/// A file on another server.
pub(crate) trait RemoteFile: Debug + Send + Sync {
    /// Its bytes from the beginning, in chunks; may be asked for more than once. What breaks off on the way is tried
    /// again inside, as far as that has sense: an error ends the import of this file.
    fn open(&self) -> BoxStream<'static, io::Result<Bytes>>;

    /// Its SHA-1 in lower-case hex, where the other server has told it.
    fn sha1(&self) -> Option<&str>;

    /// What tells it from every other file and from other bytes under the same name, for the journal.
    fn identity(&self) -> String;

    /// Asks for what the other server says of it, and for what belongs to it: that is done when its turn comes.
    fn complete(&self, entry: Entry) -> BoxFuture<'_, anyhow::Result<Entry>>;
}

impl Content {
    /// A file on disk.
    #[cfg(test)]
    pub(crate) fn disk(path: impl Into<Arc<Path>>) -> Self {
        Self::Here(Here::Disk(path.into()))
    }

    /// What tells it from every other file; together with length and time also from other bytes in the same place.
    pub(crate) fn identity(&self) -> Vec<u8> {
        match self {
            Self::Here(Here::Disk(path)) => path.as_os_str().as_encoded_bytes().to_owned(),
            Self::Here(Here::Archived(archive, place)) => archive.identity(*place),
            Self::Elsewhere(file) => file.identity().into_bytes(),
        }
    }
}

impl Here {
    /// Reads it to its end on the caller's thread, a chunk of at most [`CHUNK_BYTES`] at a time, until `take` says that
    /// it wants no more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
        match self {
            Self::Disk(path) => chunks(&mut std::fs::File::open(path)?, take),
            Self::Archived(archive, place) => archive.read(*place, take),
        }
    }

    /// All bytes of a small file, on the caller's thread.
    ///
    /// # Errors
    /// When it cannot be read, or has more than `size_bytes_max`.
    pub(crate) fn whole(&self, size_bytes_max: usize) -> io::Result<Vec<u8>> {
        let (mut whole, mut is_longer) = (Vec::new(), false);
        self.read(&mut |chunk| {
            is_longer = chunk.len() > size_bytes_max.saturating_sub(whole.len());
            if !is_longer {
                whole.extend_from_slice(chunk);
            }
            !is_longer
        })?;
        if is_longer {
            return Err(io::Error::other(format!("it is larger than {size_bytes_max} bytes")));
        }
        Ok(whole)
    }
}

thread_local! {
    /// What the last file of this thread was read into: a hundred thousand small files need no memory of their own.
    static CHUNK: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Hands on what a reader gives.
pub(crate) fn chunks(
    reader: &mut dyn io::Read,
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    // Where a reader reads by the same means it finds none, and has one of its own.
    let mut chunk = CHUNK.take();
    chunk.resize(CHUNK_BYTES, 0);
    let read = chunks_by(reader, &mut chunk, take);
    CHUNK.set(chunk);
    read
}

fn chunks_by(
    reader: &mut dyn io::Read,
    chunk: &mut [u8],
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    loop {
        let length = match reader.read(chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match chunk.get(..length).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) if take(bytes) => {}
            Some(_) | None => return Ok(()),
        }
    }
}
