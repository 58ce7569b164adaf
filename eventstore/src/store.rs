//! The interface of an event store; `contract.rs` says in tests what its words mean.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{AppendError, StoreError};
use crate::event::{Append, Appended, Envelope, Recorded};
use crate::past::{self, Deed, Last, Piece, Touched, Until};
use crate::selection::{LOOKED_POSITIONS_MAX, Selected, Selection};
use crate::stream::{GlobalPosition, Revision, StreamId};

/// Append, read, follow, forget.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Appends to all the given streams or to none, durably.
    ///
    /// Recognised by event id: where all events stand already in these streams, the answer is what was
    /// written then. Answers are in the order of `appends`; a stream occurs at most once in them.
    ///
    /// # Errors
    /// - [`AppendError::WrongExpectedRevision`]: load again, decide again.
    /// - [`AppendError::Unavailable`]: certainly not written; try later.
    /// - [`AppendError::Unknown`]: may have been written; retry with the same event ids.
    /// - [`AppendError::Invalid`]: never will be written.
    /// - [`AppendError::SubjectForgotten`]: the key that would seal was destroyed.
    async fn append(
        &self,
        appends: Vec<Append>,
        envelope: Envelope,
    ) -> Result<Vec<Appended>, AppendError>;

    /// At most `max` events of one stream from the revision `from` on, in order.
    ///
    /// Includes events that have no position yet. Leaves out events that are skipped (`log.skipped`).
    /// A stream that does not exist has no events.
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// At most `max` events of some streams, each from its first event on: stream after stream in the order
    /// of their names, the events of each in order. Where there are more, the last streams are cut off.
    ///
    /// Includes events that have no position yet. Leaves out events that are skipped (`log.skipped`).
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn read_streams(
        &self,
        stream_ids: &[StreamId],
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// At most `max` events after the position `after`, in the order of positions.
    ///
    /// No event ever appears later before one that was returned. Leaves out events that are skipped
    /// (`log.skipped`) or erased, so a reader that got fewer than `max` may move its checkpoint to what
    /// [`EventStore::head`] said before the call.
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn read_all(&self, after: GlobalPosition, max: u32) -> Result<Vec<Recorded>, StoreError>;

    /// At most `max` events that are asked for, of at most [`LOOKED_POSITIONS_MAX`] positions behind `after`, in the
    /// order of positions. Fewer, or none, do not mean that there are no more: the next look begins at
    /// [`Selected::looked_to`], and where that is no further than `after`, the log ends there.
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn read_selected(
        &self,
        after: GlobalPosition,
        selection: &Selection,
        max: u32,
    ) -> Result<Selected, StoreError> {
        let head = self.head().await?;
        let far = after.get().saturating_add(i64::from(LOOKED_POSITIONS_MAX));
        let to = head.min(GlobalPosition::new(far)).max(after);
        let all = self.read_all(after, LOOKED_POSITIONS_MAX).await?;
        let is_near = |event: &Recorded| event.position.is_some_and(|position| position <= to);
        let some = all.into_iter().filter(|event| is_near(event) && selection.takes(event));
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let events: Vec<Recorded> = some.take(max).collect();
        let last = events.last().and_then(|event| event.position);
        let looked_to = last.filter(|_| events.len() >= max).unwrap_or(to);
        Ok(Selected { events, looked_to })
    }

    /// At most `max` events that belong to a request or job, by its correlation id; those of a stream in
    /// order. Includes events that have no position yet. Leaves out events that are skipped.
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn read_correlated(
        &self,
        correlation_id: Uuid,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// At most `max` events of some streams that stand at a position or before it: stream after stream in the order
    /// of their names, the events of each in order. Where there are more, the last streams are cut off.
    ///
    /// Leaves out events that are skipped (`log.skipped`).
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn read_until(
        &self,
        stream_ids: &[StreamId],
        until: &Until<'_>,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        past::read_until(self, stream_ids, until, max).await
    }

    /// Of each of some streams the last event of some types, in no order; a stream without one is missing. Skipped
    /// events do not count.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn last_of(
        &self,
        stream_ids: &[StreamId],
        types: &[&str],
    ) -> Result<Vec<Last>, StoreError> {
        past::last_of(self, stream_ids, types).await
    }

    /// What was done in somebody's name after a position, up to another and with it, in order. Skipped events do
    /// not count. The caller bounds the answer by how far the two are apart.
    ///
    /// # Errors
    /// The database cannot be read, or holds what it should not.
    async fn deeds(
        &self,
        after: GlobalPosition,
        until: GlobalPosition,
    ) -> Result<Vec<Deed>, StoreError> {
        past::deeds(self, after, until).await
    }

    /// The next events of some aggregates behind a position, at most `max`, in order; of others none, and nothing of
    /// them is opened. There may be none although there are more.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn read_aggregates(
        &self,
        after: GlobalPosition,
        aggregates: &[&str],
        max: u32,
    ) -> Result<Selected, StoreError> {
        let head = self.head().await?;
        let events = self.read_all(after, max).await?;
        let is_full = u32::try_from(events.len()).is_ok_and(|count| count >= max);
        let last = events.last().and_then(|event| event.position);
        let looked_to = last.filter(|_| is_full).unwrap_or(head.max(after));
        let is_wanted = |event: &Recorded| aggregates.contains(&event.stream_id.aggregate());
        Ok(Selected { events: events.into_iter().filter(is_wanted).collect(), looked_to })
    }

    /// The events of a piece of the log, in order. Sealed values may read as `{"$forgotten": true}`.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn read_piece(&self, piece: Piece<'_>) -> Result<Vec<Recorded>, StoreError> {
        past::read_piece(self, piece).await
    }

    /// The same without what the events say.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn touched(&self, piece: Piece<'_>) -> Result<Vec<Touched>, StoreError> {
        let events = self.read_piece(piece).await?;
        Ok(events
            .into_iter()
            .filter_map(|event| {
                Some(Touched {
                    position: event.position?,
                    stream_id: event.stream_id,
                    revision: event.revision,
                    event_type: event.event_type,
                })
            })
            .collect())
    }

    /// Where the log stood at an instant: at the last event that was recorded by then, [`GlobalPosition::START`]
    /// before the first.
    ///
    /// Times are told by whoever writes, before the log gives an event its place: of events that were written within
    /// moments of each other the order may be another than that of their times.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn position_at(&self, instant: DateTime<Utc>) -> Result<GlobalPosition, StoreError> {
        past::position_at(self, instant).await
    }

    /// Position of the last sequenced event; [`GlobalPosition::START`] for an empty log.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn head(&self) -> Result<GlobalPosition, StoreError>;

    /// Where an event stands; none while it is not sequenced, or is not there at all.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn position_of(&self, event_id: Uuid) -> Result<Option<GlobalPosition>, StoreError>;

    /// Rises when the sequencer of any process has moved; at once for the sequencer of this one.
    fn positions(&self) -> watch::Receiver<GlobalPosition>;

    /// Waits until an event has its position; none when `timeout` has passed before.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn wait_sequenced(
        &self,
        event_id: Uuid,
        timeout: Duration,
    ) -> Result<Option<GlobalPosition>, StoreError>;

    /// The attachments of an event, by name; none when it has none or its subject was forgotten.
    ///
    /// # Errors
    /// The database cannot be read.
    async fn attachments(&self, event_id: Uuid) -> Result<Vec<(String, Bytes)>, StoreError>;

    /// Destroys the subject's key and deletes the attachments of its events. Twice is once.
    ///
    /// From then on its sealed values read as `{"$forgotten": true}` and nothing more is sealed for it.
    /// Files, rows of projections and old WAL are the caller's concern.
    ///
    /// # Errors
    /// The database cannot be written; the key may still be there.
    async fn forget(&self, subject: &str) -> Result<(), StoreError>;

    /// As [`EventStore::forget`] of several subjects: all of them or none.
    ///
    /// # Errors
    /// The database cannot be written; the keys may still be there.
    async fn forget_all(&self, subjects: &[String]) -> Result<(), StoreError>;

    /// Lists an event among those that no reader sees from now on. Twice is once; the first reason stays.
    ///
    /// Rows that projections made of it stay until these are rebuilt.
    ///
    /// # Errors
    /// The database cannot be written.
    async fn skip(&self, event_id: Uuid, reason: &str, by: &str) -> Result<(), StoreError>;
}
