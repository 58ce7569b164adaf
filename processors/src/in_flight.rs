//! How much is being worked on right now, for the counts that clients poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Assets being worked on, by step. Cheap to clone; clones count together.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// The counter itself, for whoever shows it.
    #[must_use]
    pub fn gauge(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// Assets being worked on now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts one more until the guard is dropped.
    #[must_use]
    pub fn begin(&self) -> Working {
        self.0.fetch_add(1, Ordering::Relaxed);
        Working(Self::clone(self))
    }
}

/// One asset being worked on.
#[derive(Debug)]
pub struct Working(InFlight);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
