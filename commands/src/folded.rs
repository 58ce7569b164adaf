//! Aggregates of long streams, kept folded: an album that was filled by thousands of commands is not read from
//! its first event for each further one.
//!
//! What is kept may be old, never wrong: the rest of the stream is read behind it, and an append expects the
//! revision that was read.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use calotype_eventstore::{Revision, StreamId};

/// Aggregates kept at once, at most; an album of 10,000 assets takes about half a megabyte.
const FOLDED_MAX: usize = 32;
/// How long one is kept, so that what was forgotten in the log is soon forgotten here.
const FOLDED_FOR: Duration = Duration::from_secs(60);
/// Events that one reading must have cost to be worth keeping.
pub(crate) const FOLDED_EVENTS_MIN: usize = 128;

struct Entry {
    stream_id: StreamId,
    aggregate: Arc<dyn Any + Send + Sync>,
    last: Revision,
    kept_at: Instant,
}

/// The folded aggregates of a process, the last kept at the end.
#[derive(Clone, Default)]
pub(crate) struct Folded(Arc<Mutex<VecDeque<Entry>>>);

impl Folded {
    /// An aggregate and the revision it stands at.
    pub(crate) fn get<A: Clone + Send + Sync + 'static>(
        &self,
        stream_id: &StreamId,
    ) -> Option<(A, Revision)> {
        let (aggregate, last) = {
            let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            entries.retain(|entry| entry.kept_at.elapsed() < FOLDED_FOR);
            let entry = entries.iter().find(|entry| entry.stream_id == *stream_id)?;
            (Arc::clone(&entry.aggregate), entry.last)
        };
        let aggregate = aggregate.downcast::<A>().ok()?;
        Some((A::clone(&aggregate), last))
    }

    /// Keeps an aggregate at a revision.
    pub(crate) fn keep<A: Send + Sync + 'static>(
        &self,
        stream_id: &StreamId,
        aggregate: A,
        last: Revision,
    ) {
        let entry = Entry {
            stream_id: stream_id.clone(),
            aggregate: Arc::new(aggregate),
            last,
            kept_at: Instant::now(),
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|kept| kept.stream_id != *stream_id);
        entries.push_back(entry);
        if entries.len() > FOLDED_MAX {
            entries.pop_front();
        }
    }

    /// Drops an aggregate whose stream is not where it was thought to be.
    pub(crate) fn drop_stream(&self, stream_id: &StreamId) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.stream_id != *stream_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(number: usize) -> StreamId {
        StreamId::new("album", number)
    }

    #[test]
    fn what_is_kept_comes_back_as_what_it_was() {
        let folded = Folded::default();
        folded.keep(&stream(1), "album".to_owned(), Revision::new(7));
        assert_eq!(folded.get(&stream(1)), Some(("album".to_owned(), Revision::new(7))));
        assert_eq!(folded.get::<u32>(&stream(1)), None);
        folded.drop_stream(&stream(1));
        assert_eq!(folded.get::<String>(&stream(1)), None);
    }

    #[test]
    fn oldest_leaves_when_there_is_no_room() {
        let folded = Folded::default();
        for number in 0..=FOLDED_MAX {
            folded.keep(&stream(number), number, Revision::new(0));
        }
        assert_eq!(folded.get::<usize>(&stream(0)), None);
        assert_eq!(folded.get(&stream(1)), Some((1_usize, Revision::new(0))));
    }
}
