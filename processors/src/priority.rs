//! Places at the decoder, handed to new uploads before re-runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    size: Arc<Mutex<Size>>,
}

/// How many places there are, and how many of those that are taken will not be given again.
#[derive(Debug)]
struct Size {
    count: usize,
    owed: usize,
}

impl Places {
    /// `count` places.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(count)),
            uploads_waiting: Arc::new(AtomicUsize::new(0)),
            calm: Arc::new(Notify::new()),
            size: Arc::new(Mutex::new(Size { count, owed: 0 })),
        }
    }

    /// Lets there be `count` places from now on; those that are taken are given back in their own time.
    pub fn resize(&self, count: usize) {
        let mut size = self.size();
        if count > size.count {
            let more = count - size.count;
            let kept = more.min(size.owed);
            size.owed -= kept;
            self.semaphore.add_permits(more - kept);
        } else {
            let less = size.count - count;
            size.owed += less - self.semaphore.forget_permits(less);
        }
        size.count = count;
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, when it is not owed; one that is owed is gone.
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            let permit = Arc::clone(&self.semaphore).acquire_owned().await.ok()?;
            let mut size = self.size();
            if size.owed == 0 {
                return Some(permit);
            }
            size.owed -= 1;
            permit.forget();
        }
    }

    /// Waits for a place. `None` when the places are closed, at the end of the program.
    pub async fn take(&self, urgency: Urgency) -> Option<OwnedSemaphorePermit> {
        match urgency {
            Urgency::Upload => {
                let waiting = Waiting::new(self);
                let permit = self.acquire().await;
                drop(waiting);
                permit
            }
            Urgency::Rerun => loop {
                let calm = self.calm.notified();
                if self.uploads_waiting.load(Ordering::Acquire) > 0 {
                    calm.await;
                    continue;
                }
                let permit = self.acquire().await?;
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
    async fn fewer_places_are_given_once_those_taken_come_back() {
        let places = Places::new(2);
        let (one, two) = (places.take(Urgency::Upload).await, places.take(Urgency::Upload).await);
        places.resize(1);
        drop(one);
        assert!(Box::pin(places.take(Urgency::Upload)).now_or_never().is_none());
        drop(two);
        let again = places.take(Urgency::Upload).await;
        assert!(again.is_some());
        places.resize(2);
        assert!(places.take(Urgency::Upload).await.is_some());
    }

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
