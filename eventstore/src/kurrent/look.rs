//! What stands in the streams of a call already: the copy says it, and KurrentDB what the copy has not yet.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::PgConnection;
use uuid::Uuid;

use super::client::Connection;
use crate::error::{AppendError, StoreError};
use crate::event::{Append, Appended};
use crate::stream::{ExpectedRevision, Revision};
use crate::validate;

/// How many streams are read at once.
const READS_AT_ONCE: usize = 8;
/// How many events of a stream are read at once.
const PAGE_EVENTS: usize = 1_000;

/// `shown` leaves out skipped events, because readers do not see them.
const SELECT_LAST: &str = "
    select
        coalesce((
            select e.revision from log.events e
            where e.stream_id = given.stream_id
            order by e.revision desc limit 1), -1),
        coalesce((
            select e.revision from log.events e
            where e.stream_id = given.stream_id
                and e.event_id not in (select s.event_id from log.skipped s)
            order by e.revision desc limit 1), -1)
    from unnest($1::text[]) with ordinality given (stream_id, no)
    order by given.no";

const SELECT_KNOWN: &str =
    "select event_id, stream_id, revision from log.events where event_id = any($1)";

const SELECT_SKIPPED: &str = "select event_id from log.skipped where event_id = any($1)";

/// What stands in some streams.
pub(super) struct Look {
    streams: Vec<Stream>,
    /// Those of the call's events that are there: stream and revision.
    known: HashMap<Uuid, (String, i64)>,
}

/// The end of one stream; -1 stands for no event.
struct Stream {
    last: i64,
    /// The last event that readers see.
    shown: i64,
}

impl Look {
    /// Looks at the streams of a call, which nobody else writes to meanwhile.
    pub(super) async fn at(
        appends: &[Append],
        copy: &mut PgConnection,
        kurrent: &Connection,
    ) -> Result<Self, StoreError> {
        let names: Vec<&str> = appends.iter().map(|append| append.stream_id.as_str()).collect();
        let failed = || StoreError::database("look at streams");
        let ends: Vec<(i64, i64)> = sqlx::query_as(SELECT_LAST)
            .bind(&names)
            .fetch_all(&mut *copy)
            .await
            .map_err(failed())?;
        let event_ids: Vec<Uuid> =
            appends.iter().flat_map(|append| append.events.iter().map(|e| e.event_id)).collect();
        let known: Vec<(Uuid, String, i64)> = sqlx::query_as(SELECT_KNOWN)
            .bind(&event_ids)
            .fetch_all(&mut *copy)
            .await
            .map_err(failed())?;
        let mut known: HashMap<Uuid, (String, i64)> = known
            .into_iter()
            .map(|(event_id, stream_id, revision)| (event_id, (stream_id, revision)))
            .collect();

        let ends_known: Vec<(String, i64)> =
            names.iter().zip(&ends).map(|(name, (last, _))| ((*name).to_owned(), *last)).collect();
        let tails = ends_known
            .into_iter()
            .map(|(name, last)| async move { tail(kurrent, &name, last).await });
        let tails: Vec<Vec<(Uuid, i64)>> =
            futures::stream::iter(tails).buffered(READS_AT_ONCE).try_collect().await?;
        let skipped = skipped(copy, &tails).await?;
        let wanted: HashSet<Uuid> = event_ids.into_iter().collect();
        let mut streams = Vec::with_capacity(names.len());
        for ((name, (mut last, mut shown)), tail) in names.into_iter().zip(ends).zip(tails) {
            for (event_id, revision) in tail {
                last = revision;
                if !skipped.contains(&event_id) {
                    shown = revision;
                }
                if wanted.contains(&event_id) {
                    known.insert(event_id, (name.to_owned(), revision));
                }
            }
            streams.push(Stream { last, shown });
        }
        Ok(Self { streams, known })
    }

    /// What an earlier attempt wrote, all of it or none; then whether every demand holds.
    pub(super) fn judge(&self, appends: &[Append]) -> Result<Option<Vec<Appended>>, AppendError> {
        if let Some(repeated) = self.find_repeated(appends)? {
            return Ok(Some(repeated));
        }
        for (append, stream) in appends.iter().zip(&self.streams) {
            if !stream.meets(append.expected) {
                return Err(AppendError::WrongExpectedRevision {
                    stream_id: append.stream_id.clone(),
                    expected: append.expected,
                    actual: (stream.last >= 0).then(|| Revision::new(stream.last)),
                });
            }
        }
        Ok(None)
    }

    /// The last revisions, in the order of the call; -1 for a new stream.
    pub(super) fn last_revisions(&self) -> impl Iterator<Item = i64> {
        self.streams.iter().map(|stream| stream.last)
    }

    fn find_repeated(&self, appends: &[Append]) -> Result<Option<Vec<Appended>>, AppendError> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let mut repeated = Vec::with_capacity(appends.len());
        for append in appends {
            let mut last_revision = -1;
            for event in &append.events {
                match self.known.get(&event.event_id) {
                    Some((stream_id, revision)) if *stream_id == append.stream_id.as_str() => {
                        last_revision = last_revision.max(*revision);
                    }
                    _ => return Err(validate::event_id_taken(&append.stream_id)),
                }
            }
            let last_event_id = append.events.last().map(|event| event.event_id);
            repeated.push(Appended {
                stream_id: append.stream_id.clone(),
                last_revision: Revision::new(last_revision),
                last_event_id: last_event_id.unwrap_or_default(),
            });
        }
        Ok(Some(repeated))
    }
}

impl Stream {
    fn meets(&self, expected: ExpectedRevision) -> bool {
        let expected = match expected {
            ExpectedRevision::Any => return true,
            ExpectedRevision::NoStream => -1,
            ExpectedRevision::Exact(revision) => revision.get(),
        };
        expected == self.last || (self.shown..self.last).contains(&expected)
    }
}

/// Ids and revisions of the events after a revision, to the end of the stream.
pub(super) async fn tail(
    kurrent: &Connection,
    stream_id: &str,
    mut last: i64,
) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let mut events = Vec::new();
    loop {
        let from = u64::try_from(last + 1).unwrap_or(0);
        let page = kurrent.read_stream(stream_id, from, PAGE_EVENTS).await?;
        for event in &page {
            last = i64::try_from(event.revision).unwrap_or(i64::MAX);
            events.push((event.id, last));
        }
        if page.len() < PAGE_EVENTS {
            return Ok(events);
        }
    }
}

async fn skipped(
    copy: &mut PgConnection,
    tails: &[Vec<(Uuid, i64)>],
) -> Result<HashSet<Uuid>, StoreError> {
    let event_ids: Vec<Uuid> = tails.iter().flatten().map(|(event_id, _)| *event_id).collect();
    if event_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let skipped: Vec<Uuid> = sqlx::query_scalar(SELECT_SKIPPED)
        .bind(event_ids)
        .fetch_all(copy)
        .await
        .map_err(StoreError::database("look for skipped events"))?;
    Ok(skipped.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_is_met_at_the_end_or_before_nothing_but_skipped_events() {
        let exact = |revision| ExpectedRevision::Exact(Revision::new(revision));
        let stream = Stream { last: 5, shown: 3 };
        for (expected, met) in [(5, true), (4, true), (3, true), (2, false), (6, false)] {
            assert_eq!(stream.meets(exact(expected)), met, "{expected}");
        }
        assert!(stream.meets(ExpectedRevision::Any));
        assert!(!stream.meets(ExpectedRevision::NoStream));
        assert!(Stream { last: -1, shown: -1 }.meets(ExpectedRevision::NoStream));
        assert!(Stream { last: 2, shown: -1 }.meets(ExpectedRevision::NoStream));
    }
}
