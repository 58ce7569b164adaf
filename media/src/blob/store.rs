//! The store: opening, reading, removing, and small derived blobs.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::{
    Area, BlobError, BlobKey, BlobWriter, S3Place,
    remote::Bucket,
    writer::{in_background, make_parents},
};

/// Prefix of files in `tmp/`; only these and fetched ones are cleaned at the start.
pub(super) const TMP_PREFIX: &str = "blob-";

/// Prefix of files in `tmp/` that were fetched from a bucket.
pub(super) const FETCHED_PREFIX: &str = "fetched-";

/// How long nobody may have written to a temporary file that another process might still write: uploads
/// that are slower are ended.
const ABANDONED_AFTER: Duration = Duration::from_secs(3_600);

/// How long ago a fetched file was written at least that another process does not read any more: encoding a film
/// takes hours.
const UNREAD_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// How long an original that an import sent is left alone.
const SENT_LATELY: Duration = Duration::from_secs(24 * 3_600);

/// A content store on a local folder, or on a bucket with a local folder for what is being written and read.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlobStore {
    pub(super) root: PathBuf,
    pub(super) bucket: Option<Bucket>,
    /// An open folder of the store, for waiting until the disk has everything. What the disk refuses from here on is
    /// told to whoever waits next.
    pub(super) disk: Arc<fs::File>,
    /// Held while the disk is waited for.
    pub(super) flushing: Arc<std::sync::Mutex<()>>,
    /// Whether it has refused anything: the kernel tells that to only one of those who wait.
    pub(super) has_refused: Arc<std::sync::atomic::AtomicBool>,
}

/// Size and time of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobStat {
    /// Length in bytes.
    pub size_bytes: u64,
    /// When it was last written, as the file system says; of a file that is linked here, when it was.
    pub modified: Option<SystemTime>,
}

/// Room on the file system of the store, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size of the file system.
    pub total_bytes: u64,
    /// What an unprivileged program may still write.
    pub available_bytes: u64,
    /// What is not used, what is kept back for root included.
    pub free_bytes: u64,
}

impl BlobStore {
    /// Opens the store in `root`, makes `library/`, `derived/` and `tmp/` where they are missing,
    /// and removes what earlier runs left in `tmp/`.
    ///
    /// One process at a time may own a store, else it would clean away the other's uploads.
    ///
    /// # Errors
    /// [`BlobError::Prepare`] when a folder cannot be made or read.
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let root = root.into();
        in_background(move || {
            make_folders(&root)?;
            let store = Self::in_folder(root)?;
            store.clean_tmp(Duration::ZERO, Duration::ZERO)?;
            Ok(store)
        })
        .await
    }

    /// Opens the store where other processes may have it open: files that nobody has written to for an hour
    /// are taken for leftovers.
    ///
    /// # Errors
    /// As [`BlobStore::open`].
    pub async fn open_shared(root: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let root = root.into();
        in_background(move || {
            make_folders(&root)?;
            let store = Self::in_folder(root)?;
            store.clean_tmp(ABANDONED_AFTER, UNREAD_AFTER)?;
            Ok(store)
        })
        .await
    }

    /// Keeps blobs in a bucket from now on; what lies in the folder is not looked at. Of blobs that programs need
    /// as files so many bytes are fetched to `tmp/` at once. Asks the bucket nothing.
    ///
    /// # Errors
    /// [`BlobError::Place`] when no client can be made for it.
    pub fn in_bucket(self, place: S3Place, scratch_bytes: u64) -> Result<Self, BlobError> {
        let bucket = Some(Bucket::try_new(place, scratch_bytes)?);
        Ok(Self { bucket, ..self })
    }

    /// Whether blobs lie in a bucket.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        self.bucket.is_some()
    }

    /// Begins a streaming write. Nothing is visible until [`super::StagedBlob::commit`].
    ///
    /// # Errors
    /// [`BlobError::Write`] when no temporary file can be made.
    pub async fn begin(&self) -> Result<BlobWriter, BlobError> {
        let store = self.clone();
        let file = in_background(move || store.new_tmp()).await?;
        Ok(BlobWriter::new(self.clone(), file))
    }

    /// Stores a small derived blob and replaces an older one under the same key.
    ///
    /// Not synced to disk: after a power cut the blob may be missing, empty or cut off. Whoever reads it finds out
    /// by [`super::is_whole`], and asks for it to be made again. In a bucket it is there whole, or not at all.
    ///
    /// # Errors
    /// [`BlobError::Write`] or [`BlobError::Commit`] when the disk refuses, [`BlobError::Away`] when the bucket does.
    pub async fn put_derived(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        if let Some(bucket) = &self.bucket {
            return bucket.put(key, bytes).await;
        }
        let (store, key) = (self.clone(), key.clone());
        in_background(move || {
            let mut file = store.new_tmp()?;
            io::Write::write_all(&mut file, &bytes)
                .map_err(|source| BlobError::Write { source })?;
            let path = store.path_of(&key);
            let put = || -> io::Result<()> {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                file.persist(&path)?;
                Ok(())
            };
            put().map_err(|source| BlobError::Commit { key, source })
        })
        .await
    }

    /// Opens a small blob for reading; `None` when there is none. From a bucket it is fetched whole.
    ///
    /// # Errors
    /// [`BlobError::Read`] when it is there and cannot be opened, [`BlobError::Away`] when the bucket does not answer.
    pub async fn open_blob(&self, key: &BlobKey) -> Result<Option<tokio::fs::File>, BlobError> {
        if self.is_remote() {
            let Some(fetched) = self.fetch(key).await? else { return Ok(None) };
            let opened = tokio::fs::File::open(fetched.path()).await;
            return opened.map(Some).map_err(|source| BlobError::Read { key: key.clone(), source });
        }
        match tokio::fs::File::open(self.path_of(key)).await {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::Read { key: key.clone(), source }),
        }
    }

    /// Size and time of a blob; `None` when there is none.
    ///
    /// # Errors
    /// [`BlobError::Read`] when the file system refuses, [`BlobError::Away`] when the bucket does.
    pub async fn stat(&self, key: &BlobKey) -> Result<Option<BlobStat>, BlobError> {
        if let Some(bucket) = &self.bucket {
            let found = bucket.head(key).await?;
            return Ok(found.map(|found| BlobStat {
                size_bytes: found.size,
                modified: Some(found.last_modified.into()),
            }));
        }
        match tokio::fs::metadata(self.path_of(key)).await {
            Ok(found) => {
                let written = found.modified().ok();
                // A second name of somebody's file has the time of the first.
                let has_two = found.nlink() > 1;
                let modified = if has_two { written.max(Some(changed(&found))) } else { written };
                Ok(Some(BlobStat { size_bytes: found.len(), modified }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::Read { key: key.clone(), source }),
        }
    }

    /// Whether an original was sent so lately that an import may be about to commit it, or cannot be looked at now.
    /// Files of imports are named after the asset that they become.
    pub async fn may_be_committed(&self, key: &BlobKey) -> bool {
        let name = key.as_str().rsplit('/').next().unwrap_or_default();
        let is_named = name.get(..36).is_some_and(|id| Uuid::try_parse(id).is_ok());
        if key.area() != Area::Library || !is_named {
            return false;
        }
        let written = self.stat(key).await.ok().flatten().and_then(|found| found.modified);
        let age = written.and_then(|written| written.elapsed().ok());
        age.is_none_or(|age| age < SENT_LATELY)
    }

    /// Removes a blob. A missing one counts as removed.
    ///
    /// # Errors
    /// [`BlobError::Remove`] when it is there and cannot be removed, [`BlobError::Away`] when the bucket does not answer.
    pub async fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        if let Some(bucket) = &self.bucket {
            return bucket.remove(key).await;
        }
        match tokio::fs::remove_file(self.path_of(key)).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(BlobError::Remove { key: key.clone(), source }),
        }
    }

    /// Where the blob lies, for sending it without copying. `None` in a bucket. Says nothing about whether the
    /// blob exists.
    #[must_use]
    pub fn local_path(&self, key: &BlobKey) -> Option<PathBuf> {
        (!self.is_remote()).then(|| self.path_of(key))
    }

    /// Room on the disk of the folder, also where blobs lie in a bucket: uploads pass through it.
    ///
    /// # Errors
    /// [`BlobError::Space`] when the file system does not say.
    pub async fn space(&self) -> Result<Space, BlobError> {
        let root = self.root.clone();
        in_background(move || {
            let found = rustix::fs::statvfs(&root)
                .map_err(|error| BlobError::Space { source: error.into() })?;
            Ok(Space {
                total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
                available_bytes: found.f_bavail.saturating_mul(found.f_frsize),
                free_bytes: found.f_bfree.saturating_mul(found.f_frsize),
            })
        })
        .await
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn disk(&self) -> &Arc<fs::File> {
        &self.disk
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(super) const fn bucket(&self) -> Option<&Bucket> {
        self.bucket.as_ref()
    }

    /// The folder that an area's keys lie in.
    pub(super) fn root_of(&self, area: Area) -> PathBuf {
        self.root.join(match area {
            Area::Library => "library",
            Area::Derived => "derived",
        })
    }

    pub(super) fn path_of(&self, key: &BlobKey) -> PathBuf {
        self.root_of(key.area()).join(key.as_str())
    }

    pub(super) fn new_tmp(&self) -> Result<NamedTempFile, BlobError> {
        tempfile::Builder::new()
            .prefix(TMP_PREFIX)
            .tempfile_in(self.tmp())
            .map_err(|source| BlobError::Write { source })
    }

    /// Removes temporary files that were not written to for `written`, and fetched ones for `fetched`.
    fn clean_tmp(&self, written: Duration, fetched: Duration) -> Result<(), BlobError> {
        let path = self.tmp();
        let clean = || -> io::Result<()> {
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let name = entry.file_name();
                let begins = |prefix: &str| name.as_encoded_bytes().starts_with(prefix.as_bytes());
                let told = entry.metadata()?;
                let (age, since) = match (begins(TMP_PREFIX), begins(FETCHED_PREFIX)) {
                    // A second name of somebody's file has the time of the first.
                    (true, _) if told.nlink() > 1 => (written, changed(&told)),
                    (true, _) => (written, told.modified()?),
                    // It has the time of its blob.
                    (_, true) => (fetched, changed(&told)),
                    _ => continue,
                };
                // A time in the future says nothing: then the file stays until it has passed.
                let still_for = since.elapsed().ok();
                if age.is_zero() || still_for.is_some_and(|still_for| still_for >= age) {
                    // What two passes over a film left is a folder.
                    if entry.file_type()?.is_dir() {
                        fs::remove_dir_all(entry.path())?;
                    } else {
                        fs::remove_file(entry.path())?;
                    }
                }
            }
            make_parents(&self.root, &path)
        };
        clean().map_err(|source| BlobError::Prepare { path: path.clone(), source })
    }
}

fn make_folders(root: &Path) -> Result<(), BlobError> {
    for name in ["library", "derived", "tmp"] {
        let path = root.join(name);
        fs::create_dir_all(&path).map_err(|source| BlobError::Prepare { path, source })?;
    }
    Ok(())
}

/// When anything about a file last changed, its times included.
fn changed(file: &fs::Metadata) -> SystemTime {
    let seconds = u64::try_from(file.ctime()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
