//! Whether files are being imported right now. People wait for an import to end, and nobody waits for the pictures of
//! a hundred thousand photos: what can be done later is done a little at a time meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long after a request of an import the next one is expected.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long one piece of other work is held back, so that some of it goes on.
const HELD_MAX: Duration = Duration::from_secs(10);
/// How often is looked whether the import goes on.
const LOOK: Duration = Duration::from_millis(100);

/// Requests of imports that are at work in this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Importing(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    at_work: usize,
    ended: Option<Instant>,
}

/// A request of an import that is at work until this is dropped.
#[derive(Debug)]
pub struct AtWork(Importing);

impl Importing {
    /// A request of an import begins.
    #[must_use]
    pub fn begin(&self) -> AtWork {
        self.state().at_work += 1;
        AtWork(self.clone())
    }

    /// Waits until no import is at work, but not for ever.
    pub async fn over(&self) {
        let begun = Instant::now();
        while self.is_at_work() && begun.elapsed() < HELD_MAX {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_at_work(&self) -> bool {
        let state = self.state();
        state.at_work > 0 || state.ended.is_some_and(|ended| ended.elapsed() < PAUSE_MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.at_work -= 1;
        state.ended = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_over(importing: &Importing) -> bool {
        pin!(importing.over()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn other_work_waits_for_requests_of_imports() {
        let importing = Importing::default();
        assert!(is_over(&importing));
        let (one, two) = (importing.begin(), importing.clone().begin());
        assert!(!is_over(&importing));
        drop(one);
        assert!(!is_over(&importing));
        drop(two);
        importing.over().await;
        assert!(is_over(&importing));
    }
}
