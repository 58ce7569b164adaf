//! Turns on streams that many people write to at once, such as an album: whoever waits here does not
//! load, decide and lose a race over and over. Only this process waits; against others the expected
//! revisions still decide.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use calotype_eventstore::StreamId;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Streams share this many turns; two that share one only wait without need.
const TURNS: usize = 256;

/// The turns of a process.
#[derive(Clone)]
pub(crate) struct Turns(Arc<[Arc<Mutex<()>>]>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Arc::default()).collect())
    }
}

impl Turns {
    /// Waits for a turn on all of some streams at once. They are free again when the result is dropped.
    pub(crate) async fn take(&self, streams: &[StreamId]) -> Vec<OwnedMutexGuard<()>> {
        // Always in the same order, so that two who want several never wait for each other.
        let wanted: BTreeSet<usize> = streams.iter().map(turn_of).collect();
        let mut taken = Vec::with_capacity(wanted.len());
        for turn in wanted {
            if let Some(turn) = self.0.get(turn) {
                taken.push(Arc::clone(turn).lock_owned().await);
            }
        }
        taken
    }
}

fn turn_of(stream_id: &StreamId) -> usize {
    let mut hasher = DefaultHasher::new();
    stream_id.as_str().hash(&mut hasher);
    usize::from(hasher.finish().to_le_bytes()[0]) % TURNS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the test itself waits for the task")]
    async fn second_waits_until_the_first_is_done() {
        let turns = Turns::default();
        let streams = [StreamId::new("album", "a"), StreamId::new("album", "b")];
        let first = turns.take(&streams).await;
        let waiting = tokio::spawn({
            let turns = turns.clone();
            let streams = streams.clone();
            async move { turns.take(&streams).await.len() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap() >= 1);
    }
}
