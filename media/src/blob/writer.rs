//! Streaming writes: bytes come in, digests and a durable file come out.
//!
//! Hashing and writing run on the blocking pool, one chunk of [`WRITE_CHUNK_BYTES`] at a time,
//! while the next chunk is gathered from the network. A thread per upload fed by a channel would
//! save the hand-over (about 20 µs a chunk, against 0.5 ms for hashing one), but a slow client
//! would hold its thread for as long as it likes; this way idle uploads hold no thread, and an
//! upload holds at most two chunks of memory.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use sha1::{Digest as _, Sha1};
use tempfile::NamedTempFile;
use tokio::task::JoinHandle;

use super::{BlobError, BlobKey, BlobStore};
use crate::limits::{HEAD_BYTES, WRITE_CHUNK_BYTES};

/// How often a folder that a move emptied and removed is made again.
pub(super) const FOLDER_TRIES_MAX: u32 = 3;

/// A blob that is being written. Dropped, it removes what it wrote.
#[derive(Debug)]
pub struct BlobWriter {
    store: BlobStore,
    head: Vec<u8>,
    gathered: Vec<u8>,
    state: State,
}

/// A blob that is written and hashed and lies in `tmp/`. Dropped, it is removed.
#[derive(Debug)]
pub struct StagedBlob {
    store: BlobStore,
    pub(super) file: NamedTempFile,
    head: Vec<u8>,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-1, which Immich's clients speak.
    pub sha1: [u8; 20],
    /// BLAKE3, which tells whether bytes were changed on purpose.
    pub blake3: [u8; 32],
}

/// The sink and its emptied buffer after a write.
type Written = Result<(Box<Sink>, Vec<u8>), BlobError>;

#[derive(Debug)]
enum State {
    Ready(Box<Sink>),
    Busy(JoinHandle<Written>),
    /// An earlier write failed; the temporary file is gone.
    Failed,
}

#[derive(Debug)]
struct Sink {
    file: NamedTempFile,
    sha1: Sha1,
    blake3: blake3::Hasher,
    size_bytes: u64,
}

impl BlobWriter {
    pub(super) fn new(store: BlobStore, file: NamedTempFile) -> Self {
        let sink = Sink { file, sha1: Sha1::new(), blake3: blake3::Hasher::new(), size_bytes: 0 };
        let state = State::Ready(Box::new(sink));
        Self { store, head: Vec::new(), gathered: Vec::new(), state }
    }

    /// Takes the next bytes. Returns once there is room for more, before they are on disk.
    ///
    /// # Errors
    /// [`BlobError::Write`] when an earlier chunk could not be written; the write is then over.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        if self.head.len() < HEAD_BYTES {
            let missing = (HEAD_BYTES - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..missing]);
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= WRITE_CHUNK_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// The first bytes (up to 4 KiB) seen so far, for [`crate::kind::sniff`].
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Writes what is left and closes the digests.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses; nothing was stored.
    pub async fn finish(mut self) -> Result<StagedBlob, BlobError> {
        let (sink, _) = self.take_sink().await?;
        let rest = std::mem::take(&mut self.gathered);
        let sink =
            if rest.is_empty() { sink } else { in_background(move || sink.absorb(rest)).await?.0 };
        let Sink { file, sha1, blake3, size_bytes } = *sink;
        Ok(StagedBlob {
            store: self.store.clone(),
            file,
            head: std::mem::take(&mut self.head),
            size_bytes,
            sha1: sha1.finalize().into(),
            blake3: *blake3.finalize().as_bytes(),
        })
    }

    async fn flush(&mut self) -> Result<(), BlobError> {
        let (sink, mut empty) = self.take_sink().await?;
        empty.clear();
        let chunk = std::mem::replace(&mut self.gathered, empty);
        self.state = State::Busy(tokio::task::spawn_blocking(move || sink.absorb(chunk)));
        Ok(())
    }

    async fn take_sink(&mut self) -> Result<(Box<Sink>, Vec<u8>), BlobError> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Ready(sink) => Ok((sink, Vec::new())),
            State::Busy(task) => task.await.map_err(|_| BlobError::Cancelled)?,
            State::Failed => {
                Err(BlobError::Write { source: io::Error::other("an earlier write failed") })
            }
        }
    }
}

impl Sink {
    fn absorb(mut self: Box<Self>, chunk: Vec<u8>) -> Result<(Box<Self>, Vec<u8>), BlobError> {
        self.sha1.update(&chunk);
        self.blake3.update(&chunk);
        self.file.write_all(&chunk).map_err(|source| BlobError::Write { source })?;
        self.size_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        Ok((self, chunk))
    }
}

impl StagedBlob {
    /// A file in `tmp/` with so many bytes, which have these digests (SHA-1 and BLAKE3).
    pub(super) fn of(
        store: BlobStore,
        file: NamedTempFile,
        head: Vec<u8>,
        size_bytes: u64,
        (sha1, blake3): ([u8; 20], [u8; 32]),
    ) -> Self {
        Self { store, file, head, size_bytes, sha1, blake3 }
    }

    /// The first bytes (up to 4 KiB), for [`crate::kind::sniff`].
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Where the bytes lie until they are committed or dropped.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts the blob under its key, durably: when this returns, a power cut does not undo it.
    ///
    /// # Errors
    /// - [`BlobError::Exists`]: the key is taken; neither blob changed. A bucket is asked before the write, so of
    ///   two writers at the same instant both may succeed: new blobs have keys of their own.
    /// - [`BlobError::Write`], [`BlobError::Commit`]: the disk refuses.
    /// - [`BlobError::Away`]: the bucket does.
    pub async fn commit(self, key: &BlobKey) -> Result<(), BlobError> {
        self.put(key, false).await
    }

    /// Puts the blob under its key, durably, in place of what is there: until this returns that is there
    /// whole, from then on this. For sidecars, and for the same bytes where a blob is damaged; other blobs are written once.
    ///
    /// # Errors
    /// [`BlobError::Write`], [`BlobError::Commit`]: the disk refuses; [`BlobError::Away`]: the bucket does.
    pub async fn replace(self, key: &BlobKey) -> Result<(), BlobError> {
        self.put(key, true).await
    }

    async fn put(self, key: &BlobKey, replaces: bool) -> Result<(), BlobError> {
        let (store, mut file, key) = (self.store, self.file, key.clone());
        if let Some(bucket) = store.bucket() {
            if !replaces && bucket.head(&key).await?.is_some() {
                return Err(BlobError::Exists { key });
            }
            // The path is kept until the bytes are there, and then removed.
            let (file, _path) = file.into_parts();
            return bucket.put_file(&key, file, self.size_bytes).await;
        }
        in_background(move || {
            file.as_file().sync_all().map_err(|source| BlobError::Write { source })?;
            let path = store.path_of(&key);
            let failed = |source: io::Error| match source.kind() {
                io::ErrorKind::AlreadyExists => BlobError::Exists { key: key.clone() },
                _ => BlobError::Commit { key: key.clone(), source },
            };
            let parent = path.parent().unwrap_or(store.root());
            let mut tries = 0;
            loop {
                tries += 1;
                match make_parents(store.root(), parent) {
                    Ok(()) => {}
                    Err(error) if is_missing(&error) && tries < FOLDER_TRIES_MAX => continue,
                    Err(error) => return Err(failed(error)),
                }
                let persisted =
                    if replaces { file.persist(&path) } else { file.persist_noclobber(&path) };
                match persisted {
                    Ok(_) => return sync_folder(parent).map_err(failed),
                    // A move may have found the folder empty and removed it.
                    Err(error) if is_missing(&error.error) && tries < FOLDER_TRIES_MAX => {
                        file = error.file;
                    }
                    Err(error) => return Err(failed(error.error)),
                }
            }
        })
        .await
    }
}

/// Whether there is no such file or folder.
pub(super) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Makes `folder` and its missing parents below `root`; each new entry is synced in its parent.
pub(super) fn make_parents(root: &Path, folder: &Path) -> io::Result<()> {
    if folder == root || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(root);
    make_parents(root, parent)?;
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(parent),
        // Another upload made it. It may not be synced yet, so sync it here too.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => sync_folder(parent),
        Err(error) => Err(error),
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Runs file work off the async threads.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| BlobError::Cancelled)?
}
