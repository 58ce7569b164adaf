//! What is asked of the log as it was, and how a store answers that can only read it forward.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::event::{Actor, Recorded};
use crate::store::EventStore;
use crate::stream::{GlobalPosition, Revision, StreamId};

/// Events of one stream read at once.
const PAGE_EVENTS: u32 = 1_000;

/// Which events of some streams are read.
#[derive(Clone, Copy, Debug)]
pub struct Until<'a> {
    /// Only events that stand at this position or before it.
    pub position: GlobalPosition,
    /// Only events of these types; of every type without a list.
    pub types: Option<&'a [&'a str]>,
    /// Whether sealed values are opened. Closed, they read as `{"$forgotten": true}`, and no key is fetched; a store
    /// may open them all the same.
    pub is_opened: bool,
}

/// The last event of some types in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// The stream.
    pub stream_id: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
    /// Its place in the log; none while it has none.
    pub position: Option<GlobalPosition>,
}

/// That something happened to a stream, without what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its place in the log.
    pub position: GlobalPosition,
    /// The stream.
    pub stream_id: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
    /// The event's name.
    pub event_type: String,
}

/// A piece of the log: events behind one position, up to another, of some types.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Only events behind this position.
    pub after: GlobalPosition,
    /// Only events at this position or before it.
    pub to: GlobalPosition,
    /// Only events of these types.
    pub types: &'a [&'a str],
}

/// An event that was written in somebody's name, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Its place in the log.
    pub position: GlobalPosition,
    /// Its stream.
    pub stream_id: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
    /// Who did it; the user is known.
    pub actor: Actor,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl Until<'_> {
    fn wants(&self, event: &Recorded) -> bool {
        event.position.is_some_and(|position| position <= self.position)
            && self.types.is_none_or(|types| types.contains(&event.event_type.as_str()))
    }
}

/// [`EventStore::read_until`] by reading whole streams.
pub(crate) async fn read_until<S: EventStore + ?Sized>(
    store: &S,
    stream_ids: &[StreamId],
    until: &Until<'_>,
    max: u32,
) -> Result<Vec<Recorded>, StoreError> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for stream_id in stream_ids.iter().collect::<BTreeSet<_>>() {
        let mut from = Revision::FIRST;
        while found.len() < max {
            let page = store.read_stream(stream_id, from, PAGE_EVENTS).await?;
            let Some(last) = page.last() else { break };
            from = last.revision.next();
            found.extend(page.into_iter().filter(|event| until.wants(event)));
        }
    }
    found.truncate(max);
    Ok(found)
}

/// [`EventStore::last_of`] by reading whole streams.
pub(crate) async fn last_of<S: EventStore + ?Sized>(
    store: &S,
    stream_ids: &[StreamId],
    types: &[&str],
) -> Result<Vec<Last>, StoreError> {
    let mut found = Vec::new();
    for stream_id in stream_ids.iter().collect::<BTreeSet<_>>() {
        let (mut from, mut last) = (Revision::FIRST, None);
        loop {
            let page = store.read_stream(stream_id, from, PAGE_EVENTS).await?;
            let Some(end) = page.last() else { break };
            from = end.revision.next();
            let newer = page.into_iter().rfind(|it| types.contains(&it.event_type.as_str()));
            last = newer.or(last);
        }
        found.extend(last.map(|event| Last {
            stream_id: event.stream_id,
            revision: event.revision,
            position: event.position,
        }));
    }
    Ok(found)
}

/// [`EventStore::read_piece`] by reading the log.
pub(crate) async fn read_piece<S: EventStore + ?Sized>(
    store: &S,
    piece: Piece<'_>,
) -> Result<Vec<Recorded>, StoreError> {
    let (mut found, mut after) = (Vec::new(), piece.after);
    while after < piece.to {
        let page = store.read_all(after, PAGE_EVENTS).await?;
        let Some(read_to) = page.last().and_then(|event| event.position) else { break };
        after = read_to;
        found.extend(page.into_iter().filter(|event| {
            event.position.is_some_and(|position| position <= piece.to)
                && piece.types.contains(&event.event_type.as_str())
        }));
    }
    Ok(found)
}

/// [`EventStore::deeds`] by reading the log.
pub(crate) async fn deeds<S: EventStore + ?Sized>(
    store: &S,
    after: GlobalPosition,
    until: GlobalPosition,
) -> Result<Vec<Deed>, StoreError> {
    let (mut found, mut after) = (Vec::new(), after);
    while after < until {
        let page = store.read_all(after, PAGE_EVENTS).await?;
        let Some(read_to) = page.last().and_then(|event| event.position) else { break };
        after = read_to;
        found.extend(page.into_iter().filter_map(|event| {
            let position = event.position.filter(|position| *position <= until)?;
            event.envelope.actor.user_id?;
            Some(Deed {
                position,
                stream_id: event.stream_id,
                revision: event.revision,
                actor: event.envelope.actor,
                recorded_at: event.envelope.recorded_at,
            })
        }));
    }
    Ok(found)
}

/// The first event after a position: its position, and when it was recorded.
pub(crate) type After = Option<(GlobalPosition, DateTime<Utc>)>;

/// Halves what is left of the log until the last event before an instant is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    instant: DateTime<Utc>,
    /// Everything up to here is recorded by then.
    low: GlobalPosition,
    /// Everything after here is recorded later.
    high: GlobalPosition,
}

impl Search {
    pub(crate) fn new(instant: DateTime<Utc>, head: GlobalPosition) -> Self {
        Self { instant, low: GlobalPosition::START, high: head }
    }

    /// After which position to look next; nothing when it is found.
    pub(crate) fn next(&self) -> Option<GlobalPosition> {
        let (low, high) = (self.low.get(), self.high.get());
        (low < high).then(|| GlobalPosition::new(low + (high - low) / 2))
    }

    /// Takes in what stands after the position that was looked after.
    pub(crate) fn look(&mut self, looked_after: GlobalPosition, after: After) {
        match after {
            Some((position, recorded_at)) if recorded_at <= self.instant => {
                // Of a log whose clock went back the halves may disagree; it ends all the same.
                self.low = position.min(self.high);
                if position > self.high {
                    self.high = self.low;
                }
            }
            _ => self.high = looked_after,
        }
    }

    pub(crate) const fn found(&self) -> GlobalPosition {
        self.low
    }
}

/// [`EventStore::position_at`] by reading the log here and there.
pub(crate) async fn position_at<S: EventStore + ?Sized>(
    store: &S,
    instant: DateTime<Utc>,
) -> Result<GlobalPosition, StoreError> {
    let mut search = Search::new(instant, store.head().await?);
    while let Some(after) = search.next() {
        let next = store.read_all(after, 1).await?.into_iter().next();
        let next = next.and_then(|event| Some((event.position?, event.envelope.recorded_at)));
        search.look(after, next);
    }
    Ok(search.found())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// Searches a log whose events stand at these positions and were recorded at these seconds.
    fn search(log: &[(i64, i64)], head: i64, second: i64) -> i64 {
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let mut search = Search::new(at(second), GlobalPosition::new(head));
        let mut looks = 0;
        while let Some(after) = search.next() {
            let next = log.iter().find(|(position, _)| *position > after.get());
            let next = next.map(|(position, second)| (GlobalPosition::new(*position), at(*second)));
            search.look(after, next);
            looks += 1;
            assert!(looks < 64, "it does not end");
        }
        search.found().get()
    }

    #[test]
    fn the_last_event_by_an_instant_is_found_also_beside_gaps() {
        let log = [(1, 10), (2, 20), (3, 20), (900, 30), (901, 40)];
        let found: Vec<i64> =
            [5, 10, 15, 20, 29, 30, 40, 99].map(|second| search(&log, 1_000, second)).into();
        assert_eq!(found, [0, 1, 1, 3, 3, 900, 901, 901]);
        assert_eq!(search(&[], 0, 5), 0);
    }

    #[test]
    fn a_clock_that_went_back_ends_the_search_all_the_same() {
        let log = [(1, 10), (2, 50), (3, 20), (4, 30), (5, 60)];
        for second in [5, 10, 20, 25, 30, 55, 60] {
            assert!((0..=5).contains(&search(&log, 5, second)));
        }
    }
}
