//! [`PostgresStore`]: what its parts share, and the interface they fill.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::call::{Call, Verdict};
use super::keys::{self, SubjectKeys};
use super::recent::{RecentAppends, Sighting};
use super::{gather, listen, past, read, select};
use crate::error::{AppendError, StoreError};
use crate::event::{Append, Appended, Envelope, Recorded};
use crate::keyring::Keyring;
use crate::past::{Deed, Last, Piece, Touched, Until};
use crate::selection::{Selected, Selection};
use crate::store::EventStore;
use crate::stream::{GlobalPosition, Revision, StreamId};
use crate::validate;

/// How long an append waits for room before it is refused as unavailable.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
/// How often an append seals again because another process made the subject's key first.
const SEAL_TRIES_MAX: usize = 4;
/// How often a waiter looks into the database where no notification comes.
const SEQUENCED_POLL: Duration = Duration::from_millis(20);

/// How the store divides its work.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Connections that write appends. While one commits, calls gather for the next.
    pub writers: usize,
    /// Most calls that wait to be written; further callers wait for room.
    pub appends_waiting_max: usize,
    /// Most calls in one transaction.
    pub batch_appends_max: usize,
    /// Most bytes of payloads and attachments in one transaction (one larger call goes alone).
    pub batch_size_bytes_max: usize,
    /// Most unwrapped subject keys in memory.
    pub keys_cached_max: u64,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            writers: 2,
            appends_waiting_max: 1_024,
            batch_appends_max: 256,
            batch_size_bytes_max: 4 * 1024 * 1024,
            keys_cached_max: 10_000,
        }
    }
}

/// The event store on PostgreSQL. Cheap to clone; its tasks end with the last clone.
///
/// Appends of one process are gathered into few transactions. The log has an order only while a
/// [`Sequencer`](super::Sequencer) runs somewhere.
#[derive(Clone)]
pub struct PostgresStore {
    pub(super) shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) keys: SubjectKeys,
    pub(super) positions: watch::Sender<GlobalPosition>,
    pub(super) recent: RecentAppends,
    /// Rings when the outbox may hold something.
    pub(super) outbox: Notify,
    /// Whether this process is the one that sequences.
    pub(super) sequences_here: AtomicBool,
    calls: mpsc::Sender<Call>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl PostgresStore {
    /// Starts the store over a migrated database.
    ///
    /// Takes one connection of `pool` to listen, and opens `options.writers` and a leader's own.
    ///
    /// # Errors
    /// The database cannot be read, or [`StoreError::WrongMasterKey`].
    pub async fn connect(
        pool: PgPool,
        keyring: Keyring,
        options: PostgresOptions,
    ) -> Result<Self, StoreError> {
        let head = read::head(&pool).await?;
        let keys = SubjectKeys::new(keyring, options.keys_cached_max);
        keys.check(&pool).await?;
        let (calls, waiting) = mpsc::channel(options.appends_waiting_max.max(1));
        let shared = Arc::new(Shared {
            keys,
            positions: watch::Sender::new(head),
            recent: RecentAppends::new(),
            outbox: Notify::new(),
            sequences_here: AtomicBool::new(false),
            calls,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            pool,
        });
        let stop = shared.stop.clone();
        shared.tasks.spawn(gather::run(Arc::clone(&shared), waiting, options, stop.clone()));
        shared.tasks.spawn(listen::run(Arc::clone(&shared), stop.clone()));
        shared.tasks.close();
        Ok(Self { shared, _stop: Arc::new(stop.drop_guard()) })
    }

    /// Makes sure that the keyring is the one that the log was sealed with, without starting a store.
    ///
    /// # Errors
    /// The database cannot be read, or [`StoreError::WrongMasterKey`].
    pub async fn check_keyring(pool: &PgPool, keyring: Keyring) -> Result<(), StoreError> {
        SubjectKeys::new(keyring, 1).check(pool).await
    }

    /// Whether anything in the log is sealed with a master key, so that a new one would open nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_sealed(pool: &PgPool) -> Result<bool, StoreError> {
        keys::are_any(pool).await
    }

    /// The pool that it reads with.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.shared.pool
    }

    /// Takes no more appends, writes those that wait, and ends the store's tasks.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
    }

    /// Drops what is in memory about keys and positions, as a reset of test data needs.
    pub fn drop_caches(&self) {
        self.shared.keys.drop_all_cached();
        self.shared.recent.drop_all();
    }

    /// Seals, submits and waits; seals again where the key turned out to be another one.
    async fn append_checked(
        &self,
        appends: &[Append],
        sealings: &[validate::Sealing],
        envelope: &Arc<Envelope>,
    ) -> Result<Vec<Appended>, AppendError> {
        let shared = &self.shared;
        for attempt in 1..=SEAL_TRIES_MAX {
            let keys = shared.keys.to_seal(&shared.pool, appends, sealings, attempt == 1).await?;
            let (answer, answered) = oneshot::channel();
            let call = Call::encode(appends, &keys, envelope, answer)?;
            shared
                .calls
                .send_timeout(call, ROOM_WAIT_MAX)
                .await
                .map_err(|_| AppendError::Unavailable(StoreError::Closed))?;
            let verdicts =
                answered.await.map_err(|_| AppendError::Unknown(StoreError::Closed))??;
            if verdicts.contains(&Verdict::OtherKey) {
                shared.keys.drop_cached(appends);
                continue;
            }
            let appended = Verdict::judge(&verdicts, appends)?;
            if verdicts.iter().any(Verdict::is_written) {
                shared.keys.keep(keys);
            }
            return Ok(appended);
        }
        Err(AppendError::Unavailable(StoreError::Corrupt {
            table: "log.subject_keys",
            column: "wrapped",
            row: appends.iter().filter_map(|a| a.subject.clone()).collect::<Vec<_>>().join(", "),
            reason: "changed while sealing, again and again".to_owned(),
        }))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("head", &*self.shared.positions.borrow())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Tells whoever waits that the log has come this far.
    pub(super) fn raise(&self, head: GlobalPosition) {
        self.positions.send_if_modified(|known| {
            let rises = head > *known;
            *known = head.max(*known);
            rises
        });
    }
}

#[async_trait]
impl EventStore for PostgresStore {
    async fn append(
        &self,
        appends: Vec<Append>,
        envelope: Envelope,
    ) -> Result<Vec<Appended>, AppendError> {
        let sealings = validate::appends(&appends)?;
        let last_ids: Vec<Uuid> =
            appends.iter().filter_map(|a| a.events.last()).map(|event| event.event_id).collect();
        self.shared.recent.expect(&last_ids);
        let appended = self.append_checked(&appends, &sealings, &Arc::new(envelope)).await;
        if appended.is_err() {
            self.shared.recent.give_up(&last_ids);
        }
        appended
    }

    async fn read_stream(
        &self,
        stream_id: &StreamId,
        from: Revision,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        read::stream(&self.shared.pool, &self.shared.keys, stream_id, from, max).await
    }

    async fn read_streams(
        &self,
        stream_ids: &[StreamId],
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        read::streams(&self.shared.pool, &self.shared.keys, stream_ids, max).await
    }

    async fn read_all(&self, after: GlobalPosition, max: u32) -> Result<Vec<Recorded>, StoreError> {
        let Shared { pool, keys, positions, .. } = &*self.shared;
        let head = *positions.borrow();
        read::all(pool, keys, after, max, head).await
    }

    async fn read_selected(
        &self,
        after: GlobalPosition,
        selection: &Selection,
        max: u32,
    ) -> Result<Selected, StoreError> {
        let head = self.head().await?;
        let Shared { pool, keys, .. } = &*self.shared;
        select::selected(pool, keys, after, selection, max, head).await
    }

    async fn read_correlated(
        &self,
        correlation_id: Uuid,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        read::correlated(&self.shared.pool, &self.shared.keys, correlation_id, max).await
    }

    async fn read_until(
        &self,
        stream_ids: &[StreamId],
        until: &Until<'_>,
        max: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        past::read_until(&self.shared.pool, &self.shared.keys, stream_ids, until, max).await
    }

    async fn last_of(
        &self,
        stream_ids: &[StreamId],
        types: &[&str],
    ) -> Result<Vec<Last>, StoreError> {
        past::last_of(&self.shared.pool, stream_ids, types).await
    }

    async fn read_aggregates(
        &self,
        after: GlobalPosition,
        aggregates: &[&str],
        max: u32,
    ) -> Result<Selected, StoreError> {
        let head = self.head().await?;
        let Shared { pool, keys, .. } = &*self.shared;
        select::of_aggregates(pool, keys, after, aggregates, max, head).await
    }

    async fn read_piece(&self, piece: Piece<'_>) -> Result<Vec<Recorded>, StoreError> {
        select::piece(&self.shared.pool, piece).await
    }

    async fn touched(&self, piece: Piece<'_>) -> Result<Vec<Touched>, StoreError> {
        past::touched(&self.shared.pool, piece).await
    }

    async fn deeds(
        &self,
        after: GlobalPosition,
        until: GlobalPosition,
    ) -> Result<Vec<Deed>, StoreError> {
        past::deeds(&self.shared.pool, after, until).await
    }

    async fn position_at(&self, instant: DateTime<Utc>) -> Result<GlobalPosition, StoreError> {
        let head = self.head().await?;
        past::position_at(&self.shared.pool, instant, head).await
    }

    async fn head(&self) -> Result<GlobalPosition, StoreError> {
        let head = read::head(&self.shared.pool).await?;
        self.shared.raise(head);
        Ok(head)
    }

    async fn position_of(&self, event_id: Uuid) -> Result<Option<GlobalPosition>, StoreError> {
        match self.shared.recent.sighting(event_id) {
            Some(Sighting::At(position)) => Ok(Some(position)),
            Some(Sighting::Expected) | None => read::position_of(&self.shared.pool, event_id).await,
        }
    }

    fn positions(&self) -> watch::Receiver<GlobalPosition> {
        self.shared.positions.subscribe()
    }

    async fn wait_sequenced(
        &self,
        event_id: Uuid,
        timeout: Duration,
    ) -> Result<Option<GlobalPosition>, StoreError> {
        let mut positions = self.shared.positions.subscribe();
        let found = async {
            // Asking the database is of no use while our own sequencer has not come to it.
            let mut timer_rang = false;
            loop {
                positions.mark_unchanged();
                let here = self.shared.sequences_here.load(Ordering::Relaxed);
                match self.shared.recent.sighting(event_id) {
                    Some(Sighting::At(position)) => return Ok(position),
                    Some(Sighting::Expected) if here && !timer_rang => {}
                    Some(Sighting::Expected) | None => {
                        if let Some(position) =
                            read::position_of(&self.shared.pool, event_id).await?
                        {
                            return Ok(position);
                        }
                    }
                }
                let changed = tokio::time::timeout(SEQUENCED_POLL, positions.changed()).await;
                timer_rang = changed.is_err();
            }
        };
        tokio::time::timeout(timeout, found).await.ok().transpose()
    }

    async fn attachments(&self, event_id: Uuid) -> Result<Vec<(String, Bytes)>, StoreError> {
        read::attachments(&self.shared.pool, event_id).await
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        self.forget_all(std::slice::from_ref(&subject.to_owned())).await
    }

    async fn forget_all(&self, subjects: &[String]) -> Result<(), StoreError> {
        self.shared.keys.destroy(&self.shared.pool, subjects).await
    }

    async fn skip(&self, event_id: Uuid, reason: &str, by: &str) -> Result<(), StoreError> {
        read::skip(&self.shared.pool, event_id, reason, by).await
    }
}
