//! Models in memory: loaded when they are used, one after another in one session each, unloaded when they rest
//! or when others need their place.
//!
//! Two lanes keep a search from waiting behind ten thousand pictures: one for pictures, one for words.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::MlConfig;
use crate::error::MlError;
use crate::folders::{Folders, MODEL_BYTES_MAX, ModelFile, read};
use crate::runtime;
use crate::session::{Check, Loaded};

/// Inferences of words at the same time.
const QUICK_JOBS_MAX: usize = 1;
/// Between two looks for models that rest: a part of the time they may rest, within these.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// Which queue a job waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Pictures: many, nobody waits for one.
    Bulk,
    /// Words: few, somebody waits.
    Quick,
}

/// The models. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: MlConfig,
    folders: Folders,
    bulk: Arc<Semaphore>,
    quick: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    slots: Mutex<HashMap<ModelFile, Arc<Slot>>>,
    is_watched: Mutex<bool>,
}

/// The place of one model.
#[derive(Debug)]
struct Slot {
    bytes: u64,
    used: Mutex<Instant>,
    loaded: Mutex<Option<Loaded>>,
}

/// The right to run something; give it back by dropping it.
#[derive(Debug)]
pub(crate) struct Permit {
    _permit: OwnedSemaphorePermit,
}

/// Counts one who waits, also when the waiting is given up.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn new(config: &MlConfig, folders: Folders) -> Self {
        let inner = Inner {
            bulk: Arc::new(Semaphore::new(config.jobs.max(1))),
            quick: Arc::new(Semaphore::new(QUICK_JOBS_MAX)),
            waiting: Arc::default(),
            slots: Mutex::default(),
            is_watched: Mutex::default(),
            config: config.clone(),
            folders,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Waits for the turn of a job.
    pub(crate) async fn admit(&self, lane: Lane) -> Result<Permit, MlError> {
        let inner = &self.inner;
        let waiting = inner.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(Arc::clone(&inner.waiting));
        if waiting >= inner.config.queue {
            return Err(MlError::Busy { waiting });
        }
        let semaphore = match lane {
            Lane::Bulk => &inner.bulk,
            Lane::Quick => &inner.quick,
        };
        let permit =
            Arc::clone(semaphore).acquire_owned().await.map_err(|_closed| MlError::GivenUp)?;
        Ok(Permit { _permit: permit })
    }

    /// Works with a model, which is loaded if it is not. Blocks: for threads that may.
    pub(crate) fn with<T>(
        &self,
        file: &ModelFile,
        check: Check,
        work: impl FnOnce(&mut Loaded) -> Result<T, MlError>,
    ) -> Result<T, MlError> {
        let slot = self.slot(file);
        let mut place = lock(&slot.loaded);
        if place.is_none() {
            self.make_room(&slot);
            *place = Some(self.load(file, check)?);
            self.watch();
        }
        let Some(loaded) = place.as_mut() else { return Err(MlError::GivenUp) };
        let done = work(loaded);
        *lock(&slot.used) = Instant::now();
        done
    }

    /// How many models are in memory, and the size of their files.
    pub(crate) fn loaded(&self) -> (usize, u64) {
        let slots: Vec<Arc<Slot>> = lock(&self.inner.slots).values().cloned().collect();
        let full: Vec<_> = slots.iter().filter(|slot| slot.is_full()).collect();
        (full.len(), full.iter().map(|slot| slot.bytes).sum())
    }

    /// Unloads what nobody has used for as long as may be at `now`.
    pub(crate) fn sweep(&self, now: Instant) {
        self.inner.sweep(now);
    }

    fn slot(&self, file: &ModelFile) -> Arc<Slot> {
        let mut slots = lock(&self.inner.slots);
        // A file that was replaced is another model; nobody will ask for the former one.
        slots.retain(|known, _| known == file || known.path != file.path);
        let slot = slots.entry(file.clone()).or_insert_with(|| {
            Arc::new(Slot {
                bytes: file.stamp.bytes,
                used: Mutex::new(Instant::now()),
                loaded: Mutex::new(None),
            })
        });
        Arc::clone(slot)
    }

    fn load(&self, file: &ModelFile, check: Check) -> Result<Loaded, MlError> {
        let started = Instant::now();
        let environment = runtime::environment(&self.inner.config.runtime)?;
        let bytes = read(&file.path, MODEL_BYTES_MAX)?;
        self.inner.folders.learn(file, &bytes);
        let loaded = Loaded::new(&environment, file, &bytes, &self.inner.config, check)?;
        let took = started.elapsed();
        tracing::info!(model = %file.path.display(), "model loaded in {} ms", took.as_millis());
        Ok(loaded)
    }

    /// Unloads what was used longest ago, until another model fits. What is at work stays: it is no more than
    /// there are jobs.
    fn make_room(&self, wanted: &Arc<Slot>) {
        let config = &self.inner.config;
        let mut others: Vec<Arc<Slot>> = lock(&self.inner.slots).values().cloned().collect();
        others.retain(|slot| !Arc::ptr_eq(slot, wanted) && slot.is_full());
        others.sort_by_key(|slot| *lock(&slot.used));
        let mut count = others.len() + 1;
        let mut bytes = wanted.bytes + others.iter().map(|slot| slot.bytes).sum::<u64>();
        for slot in others {
            if count <= config.loaded.max(1) && bytes <= config.loaded_bytes {
                return;
            }
            if slot.unload() {
                count -= 1;
                bytes -= slot.bytes;
            }
        }
    }

    /// Makes sure that somebody looks for models that rest.
    fn watch(&self) {
        let mut is_watched = lock(&self.inner.is_watched);
        if *is_watched {
            return;
        }
        let every = (self.inner.config.idle / 4).clamp(LOOK_EVERY.0, LOOK_EVERY.1);
        let inner = Arc::downgrade(&self.inner);
        let thread = std::thread::Builder::new().name("ml-idle".to_owned());
        match thread.spawn(move || look_after(&inner, every)) {
            Ok(_detached) => *is_watched = true,
            Err(error) => tracing::warn!(%error, "models stay in memory: no thread to watch them"),
        }
    }
}

impl Inner {
    fn sweep(&self, now: Instant) {
        let mut slots = lock(&self.slots);
        slots.retain(|file, slot| {
            let is_resting = now.saturating_duration_since(*lock(&slot.used)) >= self.config.idle;
            let is_gone = is_resting && Arc::strong_count(slot) == 1 && slot.unload();
            if is_gone {
                tracing::info!(model = %file.path.display(), "model unloaded, nobody used it");
            }
            !is_gone
        });
    }
}

/// Looks for models that rest until there is none in memory, or no pool.
fn look_after(pool: &Weak<Inner>, every: Duration) {
    loop {
        std::thread::sleep(every);
        let Some(inner) = pool.upgrade() else { return };
        // Under the lock, so that whoever loads next either sees a watch or is seen by it.
        let mut is_watched = lock(&inner.is_watched);
        inner.sweep(Instant::now());
        if lock(&inner.slots).is_empty() {
            *is_watched = false;
            return;
        }
    }
}

impl Slot {
    /// Also while it works.
    fn is_full(&self) -> bool {
        self.loaded.try_lock().map_or(true, |loaded| loaded.is_some())
    }

    /// False where it is at work.
    fn unload(&self) -> bool {
        let Ok(mut loaded) = self.loaded.try_lock() else { return false };
        *loaded = None;
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(queue: usize) -> Pool {
        let config = MlConfig { queue, jobs: 1, ..MlConfig::new(Vec::new(), Vec::new()) };
        Pool::new(&config, Folders::new(Vec::new()))
    }

    #[tokio::test]
    async fn words_do_not_wait_behind_pictures() {
        let pool = pool(1);
        let _picture = pool.admit(Lane::Bulk).await.unwrap();
        let _words = pool.admit(Lane::Quick).await.unwrap();
    }

    #[tokio::test]
    async fn job_that_would_wait_too_far_behind_is_refused() {
        let pool = pool(1);
        let first = pool.admit(Lane::Bulk).await.unwrap();
        let mut second = Box::pin(pool.admit(Lane::Bulk));
        assert!(futures_poll(&mut second).await, "it waits");

        let third = pool.admit(Lane::Bulk).await;

        assert!(matches!(third, Err(MlError::Busy { waiting: 1 })), "{third:?}");
        drop(second);
        drop(first);
        pool.admit(Lane::Bulk).await.unwrap();
    }

    /// Whether a future is not ready when it is looked at once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())
        })
        .await
    }
}
