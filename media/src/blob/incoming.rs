//! Files that come in pieces: what has come of each lies in `tmp/uploads/` under its id until it is whole.
//!
//! How much of a file counts is not said here: whoever keeps that (a row of the database) says it when the file is
//! taken in hand, and what was written behind it is cut off then. One holder at a time has a file in hand, in all
//! processes (flock); a process that is killed has let go of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::FlockOperation;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::moving::cannot_link;
use super::store::TMP_PREFIX;
use super::writer::{in_background, is_missing, make_parents, sync_folder};
use super::{BlobError, BlobStore, StagedBlob};
use crate::limits::{HEAD_BYTES, WRITE_CHUNK_BYTES};

/// The folder in `tmp/`.
const FOLDER: &str = "uploads";
/// How often a file is opened again that somebody removed at the same instant.
const OPEN_TRIES_MAX: u32 = 3;

/// Digests of the first bytes of a file, to go on with.
#[derive(Clone, Debug, Default)]
pub struct Digesting {
    sha1: Sha1,
    blake3: blake3::Hasher,
    bytes: u64,
}

impl Digesting {
    fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.blake3.update(bytes);
        self.bytes += length(bytes);
    }
}

/// The digest that a client said a piece has.
#[derive(Clone, Debug)]
pub enum PieceDigest {
    /// SHA-1.
    Sha1(Sha1),
    /// SHA-256.
    Sha256(Sha256),
}

impl PieceDigest {
    /// SHA-1 of what is still to come.
    #[must_use]
    pub fn sha1() -> Self {
        Self::Sha1(Sha1::new())
    }

    /// SHA-256 of what is still to come.
    #[must_use]
    pub fn sha256() -> Self {
        Self::Sha256(Sha256::new())
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

/// What came of taking a file in hand.
#[derive(Debug)]
pub enum Taken {
    /// It is, until this is dropped.
    InHand(Box<Incoming>),
    /// Somebody else has it.
    ByOthers,
}

/// A file that comes in pieces, in hand.
#[derive(Debug)]
pub struct Incoming {
    store: BlobStore,
    path: PathBuf,
    /// Away while it is written to, and after that failed.
    sink: Option<Box<Sink>>,
    gathered: Vec<u8>,
    is_new: bool,
}

#[derive(Debug)]
struct Sink {
    file: File,
    digesting: Digesting,
    piece: Option<PieceDigest>,
    bytes: u64,
}

impl BlobStore {
    /// Takes the file that comes in pieces under this id in hand, and makes it where there is none.
    ///
    /// # Errors
    /// [`BlobError::Write`] when it cannot be made or opened.
    pub async fn take_incoming(&self, id: Uuid) -> Result<Taken, BlobError> {
        let store = self.clone();
        in_background(move || {
            let path = store.incoming_folder().join(id.to_string());
            let failed = |source: io::Error| BlobError::Write { source };
            for _ in 0..OPEN_TRIES_MAX {
                let opened =
                    make_parents(store.root(), &store.incoming_folder()).and_then(|()| open(&path));
                let file = match opened {
                    Ok(file) => file,
                    Err(error) if is_missing(&error) => continue,
                    Err(error) => return Err(failed(error)),
                };
                match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                    Ok(()) => {}
                    Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Taken::ByOthers),
                    Err(error) => return Err(failed(error.into())),
                }
                let found = file.metadata().map_err(failed)?;
                // Whoever had it in hand until now has removed it.
                if found.nlink() == 0 {
                    continue;
                }
                let sink =
                    Sink { file, digesting: Digesting::default(), piece: None, bytes: found.len() };
                return Ok(Taken::InHand(Box::new(Incoming {
                    store: store.clone(),
                    path,
                    is_new: found.len() == 0,
                    sink: Some(Box::new(sink)),
                    gathered: Vec::new(),
                })));
            }
            Ok(Taken::ByOthers)
        })
        .await
    }

    /// Files that come in pieces and that nobody has written to for so long, at most so many.
    ///
    /// # Errors
    /// [`BlobError::Prepare`] when their folder cannot be read.
    pub async fn incoming_unwritten_for(
        &self,
        age: Duration,
        files_max: usize,
    ) -> Result<Vec<Uuid>, BlobError> {
        let folder = self.incoming_folder();
        in_background(move || {
            let failed = |source| BlobError::Prepare { path: folder.clone(), source };
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if is_missing(&error) => return Ok(Vec::new()),
                Err(error) => return Err(failed(error)),
            };
            let mut ids = Vec::new();
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let id = entry.file_name().to_str().and_then(|name| name.parse::<Uuid>().ok());
                let (Some(id), Ok(found)) = (id, entry.metadata()) else { continue };
                let still_for = found.modified().ok().and_then(|at: SystemTime| at.elapsed().ok());
                if still_for.is_some_and(|still_for| still_for >= age) {
                    ids.push(id);
                }
                if ids.len() >= files_max {
                    break;
                }
            }
            Ok(ids)
        })
        .await
    }

    fn incoming_folder(&self) -> PathBuf {
        self.tmp().join(FOLDER)
    }
}

impl Incoming {
    /// Goes on behind so many bytes; what was written behind them is cut off. `known` are digests of its first bytes.
    /// Says whether so many bytes are there.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses.
    pub async fn go_on_from(
        &mut self,
        bytes: u64,
        known: Option<Digesting>,
        piece: Option<PieceDigest>,
    ) -> Result<bool, BlobError> {
        // Of what did not count nothing was made durable, its name included.
        self.is_new |= bytes == 0;
        self.with_sink(move |sink| {
            if sink.bytes < bytes {
                return Ok(false);
            }
            if sink.bytes > bytes {
                // Of a whole file the other name may be a blob: that one is never cut off.
                if sink.file.metadata()?.nlink() > 1 {
                    return Ok(false);
                }
                sink.file.set_len(bytes)?;
            }
            sink.file.seek(SeekFrom::Start(bytes))?;
            sink.bytes = bytes;
            sink.digesting = known.filter(|known| known.bytes <= bytes).unwrap_or_default();
            sink.piece = piece;
            Ok(true)
        })
        .await
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses; then it is to be taken in hand anew.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= WRITE_CHUNK_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Makes durable what has come, and says how many bytes of the file that are.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses.
    pub async fn sync(&mut self) -> Result<u64, BlobError> {
        self.flush().await?;
        let folder = std::mem::take(&mut self.is_new).then(|| self.store.incoming_folder());
        self.with_sink(move |sink| {
            sink.file.sync_data()?;
            if let Some(folder) = folder {
                sync_folder(&folder)?;
            }
            Ok(sink.bytes)
        })
        .await
    }

    /// The digest of the piece, where one was asked for; everything that has come is written then.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses.
    pub async fn piece_digest(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        self.flush().await?;
        self.with_sink(|sink| Ok(sink.piece.take().map(PieceDigest::finish))).await
    }

    /// Digests of what was written, to go on with at the next piece.
    #[must_use]
    pub fn digesting(&self) -> Digesting {
        self.sink.as_ref().map(|sink| sink.digesting.clone()).unwrap_or_default()
    }

    /// The whole file as a blob that can be committed, under a second name: this one stays until it is removed.
    /// Where the file system has no second names it is copied.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses.
    pub async fn staged(&mut self) -> Result<StagedBlob, BlobError> {
        self.flush().await?;
        let (store, path) = (self.store.clone(), self.path.clone());
        self.with_sink(move |sink| {
            sink.digest_rest()?;
            let linked = tempfile::Builder::new().prefix(TMP_PREFIX).make_in(store.tmp(), |name| {
                fs::hard_link(&path, name)?;
                File::open(name)
            });
            let file = match linked {
                Ok(file) => file,
                Err(error) if cannot_link(&error) => sink.copied(&store)?,
                Err(error) => return Err(error),
            };
            let mut head = vec![0; HEAD_BYTES];
            sink.file.rewind()?;
            let length = read_up_to(&mut sink.file, &mut head)?;
            head.truncate(length);
            let Digesting { sha1, blake3, bytes } = sink.digesting.clone();
            let digests = (sha1.finalize().into(), *blake3.finalize().as_bytes());
            Ok(StagedBlob::of(store, file, head, bytes, digests))
        })
        .await
    }

    /// Removes it.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses.
    pub async fn remove(self) -> Result<(), BlobError> {
        in_background(move || match fs::remove_file(&self.path) {
            Err(error) if !is_missing(&error) => Err(BlobError::Write { source: error }),
            _ => Ok(()),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), BlobError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.gathered);
        self.gathered = self
            .with_sink(move |sink| {
                sink.absorb(&chunk)?;
                let mut empty = chunk;
                empty.clear();
                Ok(empty)
            })
            .await?;
        Ok(())
    }

    async fn with_sink<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Sink) -> io::Result<T> + Send + 'static,
    ) -> Result<T, BlobError> {
        let failed = || BlobError::Write { source: io::Error::other("an earlier write failed") };
        let mut sink = self.sink.take().ok_or_else(failed)?;
        let (sink, done) = in_background(move || {
            let done = work(&mut sink).map_err(|source| BlobError::Write { source })?;
            Ok((sink, done))
        })
        .await?;
        self.sink = Some(sink);
        Ok(done)
    }
}

impl Sink {
    fn absorb(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.digesting.bytes == self.bytes {
            self.digesting.update(chunk);
        }
        if let Some(piece) = &mut self.piece {
            piece.update(chunk);
        }
        self.file.write_all(chunk)?;
        self.bytes += length(chunk);
        Ok(())
    }

    /// Reads what another process, or this one before it started anew, has written.
    fn digest_rest(&mut self) -> io::Result<()> {
        if self.digesting.bytes == self.bytes {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.digesting.bytes))?;
        let mut chunk = vec![0; WRITE_CHUNK_BYTES];
        while self.digesting.bytes < self.bytes {
            let length = read_up_to(&mut self.file, &mut chunk)?;
            let bytes = chunk.get(..length).filter(|bytes| !bytes.is_empty());
            self.digesting.update(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
        Ok(())
    }

    fn copied(&mut self, store: &BlobStore) -> io::Result<NamedTempFile> {
        let mut copy = store.new_tmp().map_err(io::Error::other)?;
        self.file.rewind()?;
        io::copy(&mut self.file, &mut copy)?;
        Ok(copy)
    }
}

fn open(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read_up_to(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = into.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::BlobKey;
    use super::*;

    async fn in_hand(store: &BlobStore, id: Uuid) -> Incoming {
        match store.take_incoming(id).await.unwrap() {
            Taken::InHand(incoming) => *incoming,
            Taken::ByOthers => panic!("somebody else has it"),
        }
    }

    #[tokio::test]
    async fn file_in_pieces_is_that_of_all_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let id = Uuid::from_u128(7);
        let bytes: Vec<u8> = (0..1_500_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let mut known = None;
        for (from, to) in [(0, 600_000), (600_000, 600_001), (600_001, bytes.len())] {
            let mut incoming = in_hand(&store, id).await;
            let offset = u64::try_from(from).unwrap();
            assert!(incoming.go_on_from(offset, known, None).await.unwrap());
            incoming.write(&bytes[from..to]).await.unwrap();
            assert_eq!(incoming.sync().await.unwrap(), u64::try_from(to).unwrap());
            // The last piece finds digests of the first one alone, as after a start.
            known = (from == 0).then(|| incoming.digesting());
        }
        let mut incoming = in_hand(&store, id).await;
        assert!(incoming.go_on_from(length(&bytes), known, None).await.unwrap());
        let staged = incoming.staged().await.unwrap();
        assert_eq!(staged.sha1, <[u8; 20]>::from(Sha1::digest(&bytes)));
        assert_eq!(staged.blake3, *blake3::hash(&bytes).as_bytes());
        assert_eq!((staged.size_bytes, staged.head()), (length(&bytes), &bytes[..HEAD_BYTES]));
        let key = BlobKey::parse("upload/u/aa/bb/a.jpg").unwrap();
        staged.commit(&key).await.unwrap();
        incoming.remove().await.unwrap();
        assert_eq!(fs::read(store.local_path(&key).unwrap()).unwrap(), bytes);
        assert_eq!(fs::read_dir(store.incoming_folder()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_does_not_count_is_cut_off_and_what_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let id = Uuid::from_u128(7);
        let mut incoming = in_hand(&store, id).await;
        let piece = Some(PieceDigest::sha256());
        assert!(incoming.go_on_from(0, None, piece).await.unwrap());
        incoming.write(b"abcdef").await.unwrap();
        let digest = incoming.piece_digest().await.unwrap().unwrap();
        assert_eq!(digest, Sha256::digest(b"abcdef").to_vec());
        incoming.sync().await.unwrap();
        assert!(matches!(store.take_incoming(id).await.unwrap(), Taken::ByOthers));
        drop(incoming);
        let mut incoming = in_hand(&store, id).await;
        assert!(!incoming.go_on_from(7, None, None).await.unwrap());
        assert!(incoming.go_on_from(2, None, None).await.unwrap());
        incoming.write(b"xy").await.unwrap();
        assert_eq!(incoming.sync().await.unwrap(), 4);
        assert_eq!(fs::read(&incoming.path).unwrap(), b"abxy");
        let staged = incoming.staged().await.unwrap();
        assert_eq!(staged.blake3, *blake3::hash(b"abxy").as_bytes());
        drop(staged);
        assert!(incoming.path.exists(), "it went with its second name");
        let young = store.incoming_unwritten_for(Duration::from_secs(3_600), 10).await.unwrap();
        assert_eq!(young, Vec::<Uuid>::new());
        let all = store.incoming_unwritten_for(Duration::ZERO, 10).await.unwrap();
        assert_eq!(all, [id]);
    }
}
