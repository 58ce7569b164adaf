//! Whether files are being imported right now. People wait for an import to end, and nobody waits for the pictures of
//! a hundred thousand photos: what can be done later is done a little at a time meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long after a request of an import the next one is expected.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Between two pieces of other work while an import goes on, so that some of it goes on, too.
const PIECE_EVERY: Duration = Duration::from_secs(2);
/// How often is looked whether the import goes on.
const LOOK: Duration = Duration::from_millis(100);

/// Requests of imports that are at work in this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Importing(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    at_work: usize,
    ended: Option<Instant>,
    /// When the last piece of other work was let pass while an import was at work.
    passed: Option<Instant>,
}

impl State {
    fn is_at_work(&self, now: Instant) -> bool {
        let since = |ended| now.saturating_duration_since(ended);
        self.at_work > 0 || self.ended.is_some_and(|ended| since(ended) < PAUSE_MAX)
    }

    fn passes(&mut self, now: Instant) -> bool {
        if !self.is_at_work(now) {
            return true;
        }
        let since = |passed| now.saturating_duration_since(passed);
        let is_next = self.passed.is_none_or(|passed| since(passed) >= PIECE_EVERY);
        if is_next {
            self.passed = Some(now);
        }
        is_next
    }
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

    /// Waits until no import is at work, or until it is this piece's turn among those that wait.
    pub async fn lets_pass(&self) {
        while !self.passes() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether a piece of other work may be done now. Where it may although an import is at work, the next has to wait.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.state().passes(Instant::now())
    }

    /// Whether requests of imports are at work, or were a moment ago.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        self.state().is_at_work(Instant::now())
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
    use super::*;

    #[test]
    fn other_work_goes_on_a_piece_at_a_time_while_an_import_does() {
        let now = Instant::now();
        let mut state = State::default();
        assert!(state.passes(now) && state.passes(now), "nothing holds it back");
        state.at_work = 2;
        assert!(state.passes(now), "some of it goes on");
        assert!(!state.passes(now), "but not all of it");
        assert!(!state.passes(now + PIECE_EVERY / 2));
        assert!(state.passes(now + PIECE_EVERY));
        assert!(!state.passes(now + PIECE_EVERY));
    }

    #[test]
    fn import_is_over_a_moment_after_its_last_request() {
        let importing = Importing::default();
        let (one, two) = (importing.begin(), importing.clone().begin());
        drop(one);
        assert!(importing.is_at_work());
        drop(two);
        let ended = importing.state().ended.unwrap();
        let mut state = importing.state();
        assert!(state.is_at_work(ended), "the next request may be on its way");
        assert!(!state.is_at_work(ended + PAUSE_MAX));
        assert!(state.passes(ended + PAUSE_MAX) && state.passes(ended + PAUSE_MAX));
    }
}
