//! A store that is read in smaller batches than the reader asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use calotype_eventstore::{
    Append, AppendError, Appended, Envelope, EventStore, GlobalPosition, Recorded, Revision,
    StoreError, StreamId,
};
use tokio::sync::watch;
use uuid::Uuid;

/// Passes everything on, but reads at most so many events of the log at once.
pub(super) struct Sips {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) events_max: AtomicU32,
}

#[async_trait]
impl EventStore for Sips {
    async fn append(
        &self,
        appends: Vec<Append>,
        envelope: Envelope,
    ) -> Result<Vec<Appended>, AppendError> {
        self.store.append(appends, envelope).await
    }

    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.store.read_stream(stream_id, from, max).await
    }

    async fn read_all(&self, after: GlobalPosition, max: u32) -> Result<Vec<Recorded>, StoreError> {
        self.store.read_all(after, max.min(self.events_max.load(Ordering::Relaxed))).await
    }

    async fn head(&self) -> Result<GlobalPosition, StoreError> {
        self.store.head().await
    }

    async fn position_of(&self, event_id: Uuid) -> Result<Option<GlobalPosition>, StoreError> {
        self.store.position_of(event_id).await
    }

    fn positions(&self) -> watch::Receiver<GlobalPosition> {
        self.store.positions()
    }

    async fn wait_sequenced(
        &self,
        event_id: Uuid,
        timeout: Duration,
    ) -> Result<Option<GlobalPosition>, StoreError> {
        self.store.wait_sequenced(event_id, timeout).await
    }

    async fn attachments(&self, event_id: Uuid) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.store.attachments(event_id).await
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        self.store.forget(subject).await
    }
}
