//! The log as one process has it, with a witness who writes down what it was told is safe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use calotype_eventstore::{
    Append, AppendError, Appended, Deed, Envelope, EventStore, GlobalPosition, Last, PostgresStore,
    Recorded, Revision, Selected, Selection, StoreError, StreamId, Until,
};
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

/// The ids of all events whose append was answered.
pub(super) type Told = Arc<Mutex<Vec<Uuid>>>;

/// A store whose answers to appends are written down.
pub(super) struct Witness {
    inner: PostgresStore,
    told: Told,
}

impl Witness {
    pub(super) fn new(inner: PostgresStore, told: Told) -> Self {
        Self { inner, told }
    }
}

#[async_trait]
impl EventStore for Witness {
    async fn append(
        &self,
        appends: Vec<Append>,
        envelope: Envelope,
    ) -> Result<Vec<Appended>, AppendError> {
        let events = appends.iter().flat_map(|append| &append.events);
        let ids: Vec<Uuid> = events.map(|event| event.event_id).collect();
        let appended = self.inner.append(appends, envelope).await?;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.inner.read_stream(stream_id, from, max).await
    }

    async fn read_streams(
        &self,
        stream_ids: &[StreamId],
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.inner.read_streams(stream_ids, max).await
    }

    async fn read_all(&self, after: GlobalPosition, max: u32) -> Result<Vec<Recorded>, StoreError> {
        self.inner.read_all(after, max).await
    }

    async fn read_selected(
        &self,
        after: GlobalPosition,
        selection: &Selection,
        max: u32,
    ) -> Result<Selected, StoreError> {
        self.inner.read_selected(after, selection, max).await
    }

    async fn read_correlated(
        &self,
        correlation_id: Uuid,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.inner.read_correlated(correlation_id, max).await
    }

    async fn read_until(
        &self,
        stream_ids: &[StreamId],
        until: &Until<'_>,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.inner.read_until(stream_ids, until, max).await
    }

    async fn last_of(
        &self,
        stream_ids: &[StreamId],
        types: &[&str],
    ) -> Result<Vec<Last>, StoreError> {
        self.inner.last_of(stream_ids, types).await
    }

    async fn deeds(
        &self,
        after: GlobalPosition,
        until: GlobalPosition,
    ) -> Result<Vec<Deed>, StoreError> {
        self.inner.deeds(after, until).await
    }

    async fn position_at(&self, instant: DateTime<Utc>) -> Result<GlobalPosition, StoreError> {
        self.inner.position_at(instant).await
    }

    async fn head(&self) -> Result<GlobalPosition, StoreError> {
        self.inner.head().await
    }

    async fn position_of(&self, event_id: Uuid) -> Result<Option<GlobalPosition>, StoreError> {
        self.inner.position_of(event_id).await
    }

    fn positions(&self) -> watch::Receiver<GlobalPosition> {
        self.inner.positions()
    }

    async fn wait_sequenced(
        &self,
        event_id: Uuid,
        timeout: Duration,
    ) -> Result<Option<GlobalPosition>, StoreError> {
        self.inner.wait_sequenced(event_id, timeout).await
    }

    async fn attachments(&self, event_id: Uuid) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.inner.attachments(event_id).await
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        self.inner.forget(subject).await
    }

    async fn forget_all(&self, subjects: &[String]) -> Result<(), StoreError> {
        self.inner.forget_all(subjects).await
    }

    async fn skip(&self, event_id: Uuid, reason: &str, by: &str) -> Result<(), StoreError> {
        self.inner.skip(event_id, reason, by).await
    }
}
