//! Places at the decoder, handed to new uploads before re-runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How urgent work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A person waits for it: a new upload.
    Upload,
    /// Done when nothing else is waiting: re-runs and what reconciling found.
    Rerun,
}

/// A bounded number of places. Re-runs get one only while no upload waits.
#[derive(Clone)]
pub struct Places {
    semaphore: Arc<Semaphore>,
    uploads_waiting: Arc<AtomicUsize>,
    calm: Arc<Notify>,
}

impl Places {
    /// `count` places.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(count)),
            uploads_waiting: Arc::new(AtomicUsize::new(0)),
            calm: Arc::new(Notify::new()),
        }
    }

    /// Waits for a place. `None` when the places are closed, at the end of the program.
    pub async fn take(&self, urgency: Urgency) -> Option<OwnedSemaphorePermit> {
        match urgency {
            Urgency::Upload => {
                let waiting = Waiting::new(self);
                let permit = Arc::clone(&self.semaphore).acquire_owned().await.ok();
                drop(waiting);
                permit
            }
            Urgency::Rerun => loop {
                let calm = self.calm.notified();
                if self.uploads_waiting.load(Ordering::Acquire) > 0 {
                    calm.await;
                    continue;
                }
                let permit = Arc::clone(&self.semaphore).acquire_owned().await.ok()?;
                if self.uploads_waiting.load(Ordering::Acquire) == 0 {
                    return Some(permit);
                }
                drop(permit);
            },
        }
    }
}

/// An upload that waits; dropped also when its future is.
struct Waiting<'a>(&'a Places);

impl<'a> Waiting<'a> {
    fn new(places: &'a Places) -> Self {
        places.uploads_waiting.fetch_add(1, Ordering::AcqRel);
        Self(places)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.uploads_waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.calm.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn upload_goes_before_a_rerun_that_waited_longer() {
        let places = Places::new(1);
        let busy = places.take(Urgency::Upload).await;
        let mut rerun = Box::pin(places.take(Urgency::Rerun));
        let mut upload = Box::pin(places.take(Urgency::Upload));
        assert!((&mut rerun).now_or_never().is_none());
        assert!((&mut upload).now_or_never().is_none());
        drop(busy);
        // The semaphore is fair, so the re-run is offered the place first, and gives it back.
        assert!((&mut rerun).now_or_never().is_none());
        let got = upload.await;
        assert!(got.is_some());
        drop(got);
        assert!(rerun.await.is_some());
    }
}
