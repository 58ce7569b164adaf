//! Whether anything is known to be tried or followed: asked once, and then only when an event may have changed it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calotype_domain::catalogue::AnyEvent;
use calotype_projections::Event;

/// Bit of a state in which nothing is known to be open; the rest counts what was heard.
const NOTHING: u64 = 1;
/// One thing heard.
const HEARD: u64 = 2;

/// What is known of trials of models, and of switches that assets follow.
#[derive(Clone, Debug, Default)]
pub struct Trying {
    state: Arc<AtomicU64>,
}

/// Somebody who asks the read models.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    state: &'a AtomicU64,
    /// Before the read models were asked.
    before: u64,
}

impl Trying {
    /// To be called with each applied batch of events.
    pub fn on_applied(&self, events: &[Event]) {
        if events.iter().any(|it| matches!(it.what, AnyEvent::ModelTrial(_) | AnyEvent::Config(_)))
        {
            self.forget();
        }
    }

    /// Something may be open: rows changed without an event, or events could not be read.
    pub fn forget(&self) {
        // Counted first, so that whoever asks now does not keep what is about to be forgotten.
        self.state.fetch_add(HEARD, Ordering::AcqRel);
        self.state.fetch_and(!NOTHING, Ordering::AcqRel);
    }

    /// Whoever asks now; nobody where it is known that nothing is open.
    pub(super) fn ask(&self) -> Option<Asking<'_>> {
        let before = self.state.load(Ordering::Acquire);
        (before & NOTHING == 0).then_some(Asking { state: &self.state, before })
    }
}

impl Asking<'_> {
    /// Nothing is open, unless something was heard meanwhile.
    pub(super) fn found_nothing(self) {
        let known = self.before | NOTHING;
        let kept =
            self.state.compare_exchange(self.before, known, Ordering::AcqRel, Ordering::Acquire);
        tracing::trace!(is_kept = kept.is_ok(), "nothing is tried or followed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_again_until_something_is_heard() {
        let trying = Trying::default();
        trying.ask().unwrap().found_nothing();
        assert!(trying.ask().is_none());
        trying.on_applied(&[]);
        assert!(trying.ask().is_none());
        trying.forget();
        assert!(trying.ask().is_some());
    }

    #[test]
    fn what_is_heard_while_somebody_asks_is_not_forgotten() {
        let trying = Trying::default();
        let asking = trying.ask().unwrap();
        trying.forget();
        asking.found_nothing();
        assert!(trying.ask().is_some());
    }
}
