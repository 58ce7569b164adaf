//! [`KurrentStore`]: what its parts share, and the interface they fill.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::PgPool;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::client::Connection;
use super::{append, record, session};
use crate::error::{AppendError, StoreError};
use crate::event::{Append, Appended, Envelope, Recorded};
use crate::past::{Deed, Last, Piece, Touched, Until};
use crate::postgres::PostgresStore;
use crate::selection::{Selected, Selection};
use crate::store::EventStore;
use crate::stream::{GlobalPosition, Revision, StreamId};
use crate::validate;

/// How long an append waits for room before it is refused as unavailable.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
/// Most events that one read asks KurrentDB for.
const PAGE_EVENTS_MAX: u32 = 1_000;
/// How many streams are read at once.
const READS_AT_ONCE: usize = 8;

/// An empty log may begin in KurrentDB; one that began here may not.
const BEGIN: &str = "
    insert into log.kurrent (commit_position, prepare_position)
    select -1, -1
    where (select position from log.head) = 0 and not exists (select from log.events)
    on conflict do nothing";

const HAS_BEGUN: &str = "select exists (select from log.kurrent)";

const SELECT_PLACES: &str = "
    select e.event_id, p.position, s.event_id is not null
    from unnest($1::uuid[]) e (event_id)
    left join log.positions p on p.event_id = e.event_id
    left join log.skipped s on s.event_id = e.event_id";

/// How the store divides its work.
#[derive(Clone, Debug)]
pub struct KurrentOptions {
    /// Appends that write at once; each takes a connection to PostgreSQL for its locks.
    pub appends_at_once: u32,
    /// Most appends that wait for that; further callers wait for room.
    pub appends_waiting_max: usize,
    /// How long the answer to an append waits until the event is copied, so that who reads the copy sees it.
    pub copied_wait: Duration,
}

impl Default for KurrentOptions {
    fn default() -> Self {
        Self {
            appends_at_once: 8,
            appends_waiting_max: 1_024,
            copied_wait: Duration::from_secs(10),
        }
    }
}

/// The event store on KurrentDB, with PostgreSQL beside it. Cheap to clone.
///
/// Events have positions, and can be read across streams, only while a
/// [`KurrentFollower`](super::KurrentFollower) runs somewhere.
#[derive(Clone)]
pub struct KurrentStore {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// Keys, attachments, skipped events, and the copy.
    pub(super) postgres: PostgresStore,
    pub(super) kurrent: Connection,
    /// Connections that hold locks.
    pub(super) sessions: PgPool,
    room: Arc<Semaphore>,
    tasks: TaskTracker,
    copied_wait: Duration,
}

impl KurrentStore {
    /// Sets up the store. `address`: `kurrentdb://…` as KurrentDB's clients take it. KurrentDB need not answer yet.
    ///
    /// # Errors
    /// The address is not right, PostgreSQL cannot be asked, or its log did not begin in KurrentDB.
    pub async fn connect(
        postgres: PostgresStore,
        address: &str,
        options: KurrentOptions,
    ) -> Result<Self, StoreError> {
        let kurrent = Connection::open(address).await?;
        let failed = || StoreError::database("begin a log in KurrentDB");
        sqlx::query(BEGIN).execute(postgres.pool()).await.map_err(failed())?;
        let has_begun: bool =
            sqlx::query_scalar(HAS_BEGUN).fetch_one(postgres.pool()).await.map_err(failed())?;
        if !has_begun {
            return Err(StoreError::OtherLog(
                "this log began in PostgreSQL and cannot go on in KurrentDB",
            ));
        }
        let sessions = session::pool(&postgres.pool().connect_options(), options.appends_at_once);
        Ok(Self {
            shared: Arc::new(Shared {
                postgres,
                kurrent,
                sessions,
                room: Arc::new(Semaphore::new(options.appends_waiting_max.max(1))),
                tasks: TaskTracker::new(),
                copied_wait: options.copied_wait,
            }),
        })
    }

    /// Lets appends that began end, and closes the store's connections to PostgreSQL.
    pub async fn close(&self) {
        self.shared.room.close();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.sessions.close().await;
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl fmt::Debug for KurrentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KurrentStore").field("copy", &self.shared.postgres).finish_non_exhaustive()
    }
}

impl Shared {
    /// Events of one stream with their positions, without skipped ones, sealed.
    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let max = index(max);
        let mut events = Vec::new();
        let mut from = u64::try_from(from.get()).unwrap_or(0);
        while events.len() < max {
            let wanted = index(PAGE_EVENTS_MAX).min(max - events.len());
            let page = self.kurrent.read_stream(stream_id.as_str(), from, wanted).await?;
            let is_last = page.len() < wanted;
            from = page.last().map_or(from, |event| event.revision + 1);
            let page = page.iter().map(record::decode).collect::<Result<Vec<_>, _>>()?;
            events.extend(self.place(page).await?);
            if is_last {
                break;
            }
        }
        Ok(events)
    }

    /// Adds what PostgreSQL knows of events, and leaves out those that are skipped.
    async fn place(&self, events: Vec<Recorded>) -> Result<Vec<Recorded>, StoreError> {
        if events.is_empty() {
            return Ok(events);
        }
        let event_ids: Vec<Uuid> = events.iter().map(|event| event.event_id).collect();
        let rows: Vec<(Uuid, Option<i64>, bool)> = sqlx::query_as(SELECT_PLACES)
            .bind(event_ids)
            .fetch_all(self.postgres.pool())
            .await
            .map_err(StoreError::database("read events' positions"))?;
        let mut places: HashMap<Uuid, (Option<i64>, bool)> = rows
            .into_iter()
            .map(|(event_id, position, skipped)| (event_id, (position, skipped)))
            .collect();
        let mut placed = Vec::with_capacity(events.len());
        for mut event in events {
            let (position, skipped) = places.remove(&event.event_id).unwrap_or_default();
            if !skipped {
                event.position = position.map(GlobalPosition::new);
                placed.push(event);
            }
        }
        Ok(placed)
    }
}

#[async_trait]
impl EventStore for KurrentStore {
    async fn append(
        &self,
        appends: Vec<Append>,
        envelope: Envelope,
    ) -> Result<Vec<Appended>, AppendError> {
        let sealings = validate::appends(&appends)?;
        check_texts(&appends, &envelope)?;
        let shared = Arc::clone(&self.shared);
        let room = Arc::clone(&shared.room).acquire_owned();
        let room = tokio::time::timeout(ROOM_WAIT_MAX, room).await;
        let Ok(Ok(room)) = room else { return Err(AppendError::Unavailable(StoreError::Closed)) };
        // Whoever stops waiting must not stop a write midway.
        let writing = self.shared.tasks.spawn(async move {
            let appending = append::append(&shared, &appends, &sealings, &envelope);
            let appended = Box::pin(appending).await;
            drop(room);
            appended
        });
        let appended = writing.await.map_err(|_| AppendError::Unknown(StoreError::Closed))??;
        if let Some(last) = appended.last() {
            let wait = self.shared.copied_wait;
            let copied = self.wait_sequenced(last.last_event_id, wait).await;
            if !matches!(copied, Ok(Some(_))) {
                tracing::warn!(event.id = %last.last_event_id, "an append is not copied yet");
            }
        }
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let events = self.shared.read_stream(stream_id, from, max).await?;
        self.shared.postgres.unseal(events).await
    }

    async fn read_streams(
        &self,
        stream_ids: &[StreamId],
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let stream_ids: BTreeSet<StreamId> = stream_ids.iter().cloned().collect();
        let shared = &self.shared;
        let reads = stream_ids.into_iter().map(|stream_id| async move {
            shared.read_stream(&stream_id, Revision::FIRST, max).await
        });
        let mut reads = futures::stream::iter(reads).buffered(READS_AT_ONCE);
        let mut events = Vec::new();
        while events.len() < index(max)
            && let Some(stream) = reads.try_next().await?
        {
            events.extend(stream);
        }
        drop(reads);
        events.truncate(index(max));
        self.shared.postgres.unseal(events).await
    }

    async fn read_all(&self, after: GlobalPosition, max: u32) -> Result<Vec<Recorded>, StoreError> {
        self.shared.postgres.read_all(after, max).await
    }

    async fn read_correlated(
        &self,
        correlation_id: Uuid,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.shared.postgres.read_correlated(correlation_id, max).await
    }

    // What asks about positions is answered by the copy.
    async fn read_selected(
        &self,
        after: GlobalPosition,
        selection: &Selection,
        max: u32,
    ) -> Result<Selected, StoreError> {
        self.shared.postgres.read_selected(after, selection, max).await
    }

    async fn read_until(
        &self,
        stream_ids: &[StreamId],
        until: &Until<'_>,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.shared.postgres.read_until(stream_ids, until, max).await
    }

    async fn last_of(
        &self,
        stream_ids: &[StreamId],
        types: &[&str],
    ) -> Result<Vec<Last>, StoreError> {
        self.shared.postgres.last_of(stream_ids, types).await
    }

    async fn read_aggregates(
        &self,
        after: GlobalPosition,
        aggregates: &[&str],
        max: u32,
    ) -> Result<Selected, StoreError> {
        self.shared.postgres.read_aggregates(after, aggregates, max).await
    }

    async fn read_piece(&self, piece: Piece<'_>) -> Result<Vec<Recorded>, StoreError> {
        self.shared.postgres.read_piece(piece).await
    }

    async fn touched(&self, piece: Piece<'_>) -> Result<Vec<Touched>, StoreError> {
        self.shared.postgres.touched(piece).await
    }

    async fn deeds(
        &self,
        after: GlobalPosition,
        until: GlobalPosition,
    ) -> Result<Vec<Deed>, StoreError> {
        self.shared.postgres.deeds(after, until).await
    }

    async fn position_at(&self, instant: DateTime<Utc>) -> Result<GlobalPosition, StoreError> {
        self.shared.postgres.position_at(instant).await
    }

    async fn head(&self) -> Result<GlobalPosition, StoreError> {
        self.shared.postgres.head().await
    }

    async fn position_of(&self, event_id: Uuid) -> Result<Option<GlobalPosition>, StoreError> {
        self.shared.postgres.position_of(event_id).await
    }

    fn positions(&self) -> watch::Receiver<GlobalPosition> {
        self.shared.postgres.positions()
    }

    async fn wait_sequenced(
        &self,
        event_id: Uuid,
        timeout: Duration,
    ) -> Result<Option<GlobalPosition>, StoreError> {
        self.shared.postgres.wait_sequenced(event_id, timeout).await
    }

    async fn attachments(&self, event_id: Uuid) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.shared.postgres.attachments(event_id).await
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        self.shared.postgres.forget(subject).await
    }

    async fn forget_all(&self, subjects: &[String]) -> Result<(), StoreError> {
        self.shared.postgres.forget_all(subjects).await
    }

    async fn skip(&self, event_id: Uuid, reason: &str, by: &str) -> Result<(), StoreError> {
        self.shared.postgres.skip(event_id, reason, by).await
    }
}

/// What PostgreSQL could not copy must not be written: it takes no zero byte, and streams beginning with `$` are
/// KurrentDB's own.
fn check_texts(appends: &[Append], envelope: &Envelope) -> Result<(), AppendError> {
    let types = appends.iter().flat_map(|append| append.events.iter().map(|e| &e.event_type));
    let mut texts = types.chain(&envelope.client).chain([&envelope.actor.id]);
    if texts.any(|text| text.contains('\0')) {
        return Err(AppendError::Invalid("a text holds a zero byte".to_owned()));
    }
    match appends.iter().find(|append| append.stream_id.as_str().starts_with('$')) {
        Some(append) => {
            Err(AppendError::Invalid(format!("stream {} would be KurrentDB's", append.stream_id)))
        }
        None => Ok(()),
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
