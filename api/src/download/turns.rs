//! How many archives are sent at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Archives that are sent at once; each holds a thread, an open file and a megabyte.
const ARCHIVES_AT_ONCE_MAX: usize = 48;

/// Turns for archives; clones share them.
#[derive(Clone)]
pub(crate) struct ArchiveTurns(Arc<Semaphore>);

impl Default for ArchiveTurns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ARCHIVES_AT_ONCE_MAX)))
    }
}

impl ArchiveTurns {
    /// A turn, which lasts until it is dropped.
    ///
    /// # Errors
    /// 503 when all are taken.
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| Problem::unavailable())
    }
}
