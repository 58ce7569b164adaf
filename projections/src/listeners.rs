//! What listeners are told of applied batches, in parts, so that one who is slow keeps few events in memory:
//! a batch may have thousands, and listeners may be hundreds of messages behind.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::event::Event;

/// Events told in one message.
const TOLD_EVENTS_MAX: usize = 64;
/// Messages that a slow listener may fall behind; then it hears that it missed some.
const MESSAGES_BEHIND_MAX: usize = 256;
/// Decoded events that are kept for slow listeners, at most.
const EVENTS_BEHIND_MAX: usize = 20_000;
const _: () = assert!(TOLD_EVENTS_MAX * MESSAGES_BEHIND_MAX <= EVENTS_BEHIND_MAX);

/// Events that every live projection has applied: a batch, or a part of one.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The events, in order.
    pub events: Arc<Vec<Event>>,
}

/// Where listeners hear.
pub(crate) fn channel() -> broadcast::Sender<Applied> {
    broadcast::Sender::new(MESSAGES_BEHIND_MAX)
}

/// Tells everybody who listens of a batch.
pub(crate) fn tell(listeners: &broadcast::Sender<Applied>, batch: Vec<Event>) {
    for events in in_parts(batch) {
        // Nobody listening is fine.
        drop(listeners.send(Applied { events: Arc::new(events) }));
    }
}

fn in_parts<T>(batch: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut rest = batch.into_iter();
    std::iter::from_fn(move || {
        let part: Vec<T> = rest.by_ref().take(TOLD_EVENTS_MAX).collect();
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::BATCH_EVENTS_MAX;

    #[test]
    fn batch_is_told_whole_in_small_parts() {
        let batch: Vec<u32> = (0..BATCH_EVENTS_MAX).collect();
        let parts: Vec<Vec<u32>> = in_parts(batch.clone()).collect();
        assert!(parts.iter().all(|part| part.len() <= TOLD_EVENTS_MAX && !part.is_empty()));
        assert_eq!(parts.concat(), batch);
        assert_eq!(in_parts(Vec::<u32>::new()).count(), 0);
    }
}
