//! An event store in memory, for tests: same contract, nothing durable, positions given at once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::SubsecRound;
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{AppendError, StoreError};
use crate::event::{Append, Appended, Envelope, Recorded};
use crate::payload::Payload;
use crate::seal;
use crate::store::EventStore;
use crate::stream::{GlobalPosition, Revision, StreamId};
use crate::validate::{self, Sealing};

/// Keeps everything in one list. Cheap to clone; clones share the list.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    log: Arc<Mutex<Log>>,
    positions: Arc<watch::Sender<GlobalPosition>>,
}

#[derive(Debug, Default)]
struct Log {
    /// The event at index i has position i + 1.
    events: Vec<Recorded>,
    attachments: HashMap<Uuid, Vec<(String, Bytes)>>,
    streams: HashMap<StreamId, Vec<usize>>,
    index_of: HashMap<Uuid, usize>,
    forgotten: HashSet<String>,
    skipped: HashSet<Uuid>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { log: Arc::default(), positions: Arc::new(watch::Sender::new(GlobalPosition::START)) }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Log {
    fn last_revision(&self, stream_id: &StreamId) -> Option<Revision> {
        self.streams
            .get(stream_id)
            .and_then(|events| events.last())
            .map(|i| self.events[*i].revision)
    }

    /// What an earlier attempt wrote, if it did: all of it or none.
    fn find_repeated(&self, appends: &[Append]) -> Result<Option<Vec<Appended>>, AppendError> {
        let ids = || appends.iter().flat_map(|append| append.events.iter().map(|e| e.event_id));
        if ids().all(|event_id| !self.index_of.contains_key(&event_id)) {
            return Ok(None);
        }
        let mut repeated = Vec::new();
        for append in appends {
            for event in &append.events {
                let there = self.index_of.get(&event.event_id).map(|i| &self.events[*i].stream_id);
                if there != Some(&append.stream_id) {
                    return Err(validate::event_id_taken(&append.stream_id));
                }
            }
            let last = append.events.last().and_then(|event| self.index_of.get(&event.event_id));
            repeated.extend(last.map(|i| appended(&self.events[*i])));
        }
        Ok(Some(repeated))
    }

    fn check(&self, append: &Append, sealing: Sealing) -> Result<(), AppendError> {
        let actual = self.last_revision(&append.stream_id);
        if !append.expected.is_met_by(actual) {
            return Err(AppendError::WrongExpectedRevision {
                stream_id: append.stream_id.clone(),
                expected: append.expected,
                actual,
            });
        }
        match &append.subject {
            Some(subject) if sealing.needs_key() && self.forgotten.contains(subject) => {
                Err(AppendError::SubjectForgotten { subject: subject.clone() })
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, append: Append, envelope: &Envelope) -> Option<Appended> {
        let mut revision =
            self.last_revision(&append.stream_id).map_or(Revision::FIRST, Revision::next);
        for event in append.events {
            let index = self.events.len();
            self.events.push(Recorded {
                position: Some(position_at(index)),
                event_id: event.event_id,
                stream_id: append.stream_id.clone(),
                revision,
                event_type: event.event_type,
                version: event.version,
                payload: Payload::from(&event.payload),
                subject: append.subject.clone(),
                envelope: envelope.clone(),
            });
            revision = revision.next();
            self.index_of.insert(event.event_id, index);
            self.streams.entry(append.stream_id.clone()).or_default().push(index);
            if !event.attachments.is_empty() {
                self.attachments.insert(event.event_id, event.attachments);
            }
        }
        self.events.last().map(appended)
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(
        &self,
        appends: Vec<Append>,
        mut envelope: Envelope,
    ) -> Result<Vec<Appended>, AppendError> {
        let sealings = validate::appends(&appends)?;
        // As Postgres keeps it.
        envelope.recorded_at = envelope.recorded_at.trunc_subsecs(6);
        let mut log = self.log();
        if let Some(repeated) = log.find_repeated(&appends)? {
            return Ok(repeated);
        }
        for (append, sealing) in appends.iter().zip(sealings) {
            log.check(append, sealing)?;
        }
        let written =
            appends.into_iter().filter_map(|append| log.write(append, &envelope)).collect();
        self.positions.send_replace(GlobalPosition::new(number(log.events.len())));
        Ok(written)
    }

    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let log = self.log();
        let indices = log.streams.get(stream_id).map(Vec::as_slice).unwrap_or_default();
        Ok(indices
            .iter()
            .skip(index(from.get()))
            .map(|i| &log.events[*i])
            .filter(|event| !log.skipped.contains(&event.event_id))
            .take(index(max.into()))
            .cloned()
            .collect())
    }

    async fn read_streams(
        &self,
        stream_ids: &[StreamId],
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let log = self.log();
        let wanted: BTreeSet<&StreamId> = stream_ids.iter().collect();
        Ok(wanted
            .into_iter()
            .filter_map(|stream_id| log.streams.get(stream_id))
            .flatten()
            .map(|i| &log.events[*i])
            .filter(|event| !log.skipped.contains(&event.event_id))
            .take(index(max.into()))
            .cloned()
            .collect())
    }

    async fn read_all(&self, after: GlobalPosition, max: u32) -> Result<Vec<Recorded>, StoreError> {
        let log = self.log();
        Ok(log
            .events
            .iter()
            .skip(index(after.get()))
            .filter(|event| !log.skipped.contains(&event.event_id))
            .take(index(max.into()))
            .cloned()
            .collect())
    }

    async fn read_correlated(
        &self,
        correlation_id: Uuid,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let log = self.log();
        let correlated =
            log.events.iter().filter(|event| event.envelope.correlation_id == correlation_id);
        Ok(correlated.take(index(max.into())).cloned().collect())
    }

    async fn head(&self) -> Result<GlobalPosition, StoreError> {
        Ok(*self.positions.borrow())
    }

    async fn position_of(&self, event_id: Uuid) -> Result<Option<GlobalPosition>, StoreError> {
        Ok(self.log().index_of.get(&event_id).copied().map(position_at))
    }

    fn positions(&self) -> watch::Receiver<GlobalPosition> {
        self.positions.subscribe()
    }

    async fn wait_sequenced(
        &self,
        event_id: Uuid,
        timeout: Duration,
    ) -> Result<Option<GlobalPosition>, StoreError> {
        let mut positions = self.positions.subscribe();
        let found = async {
            loop {
                if let Some(position) = self.position_of(event_id).await? {
                    return Ok(position);
                }
                positions.changed().await.map_err(|_| StoreError::Closed)?;
            }
        };
        tokio::time::timeout(timeout, found).await.ok().transpose()
    }

    async fn attachments(&self, event_id: Uuid) -> Result<Vec<(String, Bytes)>, StoreError> {
        let mut attachments = self.log().attachments.get(&event_id).cloned().unwrap_or_default();
        attachments.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(attachments)
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        let mut log = self.log();
        let Log { events, attachments, forgotten, .. } = &mut *log;
        forgotten.insert(subject.to_owned());
        for event in events.iter_mut().filter(|event| event.subject.as_deref() == Some(subject)) {
            if let Ok(mut payload) = event.payload.to_value() {
                seal::forget(&mut payload);
                event.payload = Payload::from(&payload);
            }
            attachments.remove(&event.event_id);
        }
        Ok(())
    }

    async fn forget_all(&self, subjects: &[String]) -> Result<(), StoreError> {
        for subject in subjects {
            self.forget(subject).await?;
        }
        Ok(())
    }

    async fn skip(&self, event_id: Uuid, _reason: &str, _by: &str) -> Result<(), StoreError> {
        self.log().skipped.insert(event_id);
        Ok(())
    }
}

fn appended(last: &Recorded) -> Appended {
    Appended {
        stream_id: last.stream_id.clone(),
        last_revision: last.revision,
        last_event_id: last.event_id,
    }
}

fn position_at(index: usize) -> GlobalPosition {
    GlobalPosition::new(number(index) + 1)
}

fn number(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn index(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
