//! Blobs that are fetched from the bucket because a program needs a file: into `tmp/`, within a bound, and removed
//! when the last who reads them is done.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use object_store::ObjectMeta;
use tempfile::TempPath;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Bucket, Outage};
use crate::blob::store::FETCHED_PREFIX;
use crate::blob::writer::in_background;
use crate::blob::{BlobError, BlobKey, BlobStore};

/// What room is counted in, in bytes.
const UNIT_BYTES: u64 = 1024 * 1024;
/// How long somebody waits for room.
const ROOM_WAIT: Duration = Duration::from_secs(60);
/// Bytes read in one request, and how many such requests are made ahead.
const READ_BYTES: u64 = 4 * 1024 * 1024;
const READS_AT_ONCE: usize = 2;

/// A blob as a file that can be read by its path. One that was fetched is removed with the last clone.
#[derive(Clone, Debug)]
pub struct LocalFile {
    path: PathBuf,
    fetched: Option<Arc<Fetched>>,
}

#[derive(Debug)]
struct Fetched {
    path: TempPath,
    tag: Option<String>,
    /// Given back when the file is gone: fields are dropped in their order.
    _room: OwnedSemaphorePermit,
}

/// Room for fetched blobs, and which of them are there.
#[derive(Debug)]
pub(super) struct Scratch {
    room: Arc<Semaphore>,
    units: u32,
    known: Mutex<HashMap<BlobKey, Weak<Fetched>>>,
}

impl LocalFile {
    /// A file that lies there anyway, or does not.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path, fetched: None }
    }

    /// Where it lies as long as this value is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn of(fetched: Arc<Fetched>) -> Self {
        Self { path: fetched.path.to_path_buf(), fetched: Some(fetched) }
    }

    /// Whether it is a copy of a blob that lies elsewhere.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        self.fetched.is_some()
    }
}

impl AsRef<Path> for LocalFile {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Scratch {
    pub(super) fn new(bytes: u64) -> Self {
        let units = bytes.div_ceil(UNIT_BYTES).clamp(1, u64::from(u32::MAX >> 4));
        let units = u32::try_from(units).unwrap_or(u32::MAX >> 4);
        let permits = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Self { room: Arc::new(Semaphore::new(permits)), units, known: Mutex::default() }
    }

    /// Waits for room. A blob that is larger than all of it has all of it to itself.
    async fn room_for(&self, size_bytes: u64) -> Result<OwnedSemaphorePermit, BlobError> {
        let units = u32::try_from(size_bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let wanted = Arc::clone(&self.room).acquire_many_owned(units.clamp(1, self.units));
        match tokio::time::timeout(ROOM_WAIT, wanted).await {
            Ok(room) => room.map_err(|_| BlobError::Cancelled),
            Err(_) => Err(BlobError::Away { source: Outage::NoRoom }),
        }
    }

    /// The copy of a blob that somebody reads already, if it is of the same bytes.
    fn shared(&self, key: &BlobKey, found: &ObjectMeta) -> Option<Arc<Fetched>> {
        let fetched = self.known().get(key)?.upgrade()?;
        (found.e_tag.is_some() && fetched.tag == found.e_tag).then_some(fetched)
    }

    fn remember(&self, key: &BlobKey, fetched: &Arc<Fetched>) {
        let mut known = self.known();
        known.retain(|_, fetched| fetched.strong_count() > 0);
        known.insert(key.clone(), Arc::downgrade(fetched));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<BlobKey, Weak<Fetched>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// Fetches a blob into the store's `tmp/`; `None` when there is none.
    pub(in crate::blob) async fn fetch(
        &self,
        local: &BlobStore,
        key: &BlobKey,
    ) -> Result<Option<LocalFile>, BlobError> {
        let Some(found) = self.head(key).await? else { return Ok(None) };
        if let Some(fetched) = self.scratch.shared(key, &found) {
            return Ok(Some(LocalFile::of(fetched)));
        }
        let room = self.scratch.room_for(found.size).await?;
        let (folder, ending) = (local.tmp(), key.ending().to_owned());
        let file = in_background(move || {
            let made =
                tempfile::Builder::new().prefix(FETCHED_PREFIX).suffix(&ending).tempfile_in(folder);
            made.map_err(|source| BlobError::Write { source })
        })
        .await?;
        let (file, path) = file.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let failed = |source| BlobError::Write { source };
        let firsts = (0..found.size).step_by(usize::try_from(READ_BYTES).unwrap_or(usize::MAX));
        let tag = found.e_tag.as_deref();
        let mut pieces = stream::iter(firsts)
            .map(|first| self.range(key, first..found.size.min(first + READ_BYTES), tag))
            .buffered(READS_AT_ONCE);
        while let Some(piece) = pieces.next().await {
            let Some(piece) = piece? else { return Ok(None) };
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        // Who sends it says when the blob was written.
        let (file, written) = (file.into_std().await, found.last_modified.into());
        in_background(move || file.set_modified(written).map_err(failed)).await?;
        let fetched = Arc::new(Fetched { path, tag: found.e_tag.clone(), _room: room });
        self.scratch.remember(key, &fetched);
        Ok(Some(LocalFile::of(fetched)))
    }
}
