//! The loop that keeps the live projections up to date: one read of the log, one transaction for the rows
//! and checkpoints of all of them.
//!
//! A projection that is behind the others (new, or its version rose) first catches up by itself.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use calotype_eventstore::{EventStore, GlobalPosition, Recorded};
use sqlx::{PgConnection, PgPool};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::careful::Careful;
use crate::error::ProjectionError;
use crate::event::{Event, Unreadable, readable};
use crate::listeners::{self, Applied};
use crate::parked;
use crate::projection::{Projection, checkpoint_name};

/// Events read and applied in one transaction.
pub const BATCH_EVENTS_MAX: u32 = 2_000;
/// How long the loop sleeps when nobody rings.
const IDLE: Duration = Duration::from_secs(1);
/// How long it waits after an error.
const AFTER_ERROR: Duration = Duration::from_millis(500);

/// Called with each applied batch before anybody is told of the new position.
pub type Hook = Box<dyn Fn(&[Event]) + Send + Sync>;
/// Called where an event could not be read, so that nobody knows what it changed.
pub type Forget = Box<dyn Fn() + Send + Sync>;

/// Locks the checkpoints and makes the transaction's settings on the way: one round trip instead of three.
/// Nothing waits for these commits: rows and checkpoints can be made again, and they commit together.
const HOLD_CHECKPOINTS: &str = "
    with settings as materialized (
        select set_config('synchronous_commit', 'off', true), set_config('search_path', 'read', true)
    )
    select name, position
    from work.checkpoints, settings
    where name = any($1)
    order by name
    for update of checkpoints";

const SETTINGS: &str = "
    select set_config('synchronous_commit', 'off', true), set_config('search_path', 'read', true)";

type Tx = sqlx::Transaction<'static, sqlx::Postgres>;

/// Streams that were parked, by the number of the projection.
type Parked = Vec<(usize, HashSet<String>)>;

struct Live {
    projection: Box<dyn Projection>,
    checkpoint: GlobalPosition,
    parked: HashSet<String>,
}

/// Keeps the live projections up to date. One at a time for all processes.
pub struct Runner {
    pool: PgPool,
    store: Arc<dyn EventStore>,
    live: Vec<Live>,
    position: watch::Sender<GlobalPosition>,
    applied: broadcast::Sender<Applied>,
    hooks: Vec<Hook>,
    forgets: Vec<Forget>,
    reload: Arc<Notify>,
    /// Whether what waited for former versions was looked at since the start.
    has_looked_back: bool,
}

impl Runner {
    /// Over all projections of this release.
    #[must_use]
    pub fn new(pool: PgPool, store: Arc<dyn EventStore>) -> Self {
        Self::with(pool, store, crate::projection::all())
    }

    /// Over the given projections.
    #[must_use]
    pub fn with(
        pool: PgPool,
        store: Arc<dyn EventStore>,
        projections: Vec<Box<dyn Projection>>,
    ) -> Self {
        let live = projections
            .into_iter()
            .map(|projection| Live {
                projection,
                checkpoint: GlobalPosition::START,
                parked: HashSet::new(),
            })
            .collect();
        Self {
            pool,
            store,
            live,
            position: watch::Sender::new(GlobalPosition::START),
            applied: listeners::channel(),
            hooks: Vec::new(),
            forgets: Vec::new(),
            reload: Arc::default(),
            has_looked_back: false,
        }
    }

    /// Rung by whoever set checkpoints back behind the runner's back: a reset of test data.
    #[must_use]
    pub fn reload(&self) -> Arc<Notify> {
        Arc::clone(&self.reload)
    }

    /// Adds a function to call with each applied batch, before the new position is told.
    pub fn on_applied(&mut self, hook: Hook) {
        self.hooks.push(hook);
    }

    /// Adds a function to call where an event of a batch could not be read or applied, before the new position
    /// is told: what is kept of before may be what it changed.
    pub fn on_unreadable(&mut self, forget: Forget) {
        self.forgets.push(forget);
    }

    /// The position up to which every live projection has applied the log.
    #[must_use]
    pub fn position(&self) -> watch::Receiver<GlobalPosition> {
        self.position.subscribe()
    }

    /// The applied batches, from now on.
    #[must_use]
    pub fn applied(&self) -> broadcast::Sender<Applied> {
        self.applied.clone()
    }

    /// Reads checkpoints and parked streams anew, as at the start or after a rebuild.
    ///
    /// # Errors
    /// What the database said.
    pub async fn load(&mut self) -> Result<(), ProjectionError> {
        let mut db = self.pool.acquire().await?;
        for live in &mut self.live {
            let name = checkpoint_name(&*live.projection);
            live.checkpoint = checkpoint(&mut db, &name).await?;
            live.parked = parked::streams_in_tx(&mut db, &name).await?;
        }
        drop(db);
        self.tell();
        Ok(())
    }

    /// Applies one batch to the projections that are furthest behind; says how many events that were.
    ///
    /// # Errors
    /// [`ProjectionError`]; nothing of the batch was kept.
    pub async fn step(&mut self) -> Result<usize, ProjectionError> {
        let Some(after) = self.live.iter().map(|live| live.checkpoint).min() else { return Ok(0) };
        let head = *self.store.positions().borrow();
        let (recorded, mut last) = read(&*self.store, after, BATCH_EVENTS_MAX).await?;
        if recorded.is_empty() && head <= after {
            return Ok(0);
        }
        let (events, unreadable) = readable(recorded)?;
        let Some(tx) = self.begin_at_checkpoints().await? else {
            // A rebuild has switched tables meanwhile: look again.
            self.load().await?;
            return Ok(1);
        };
        let mut tx = tx;
        self.reload_parked_in_tx(&mut tx).await?;
        let moved: Vec<usize> = (0..)
            .zip(&self.live)
            .filter(|(_, it)| it.checkpoint == after)
            .map(|(i, _)| i)
            .collect();
        let names: Vec<String> = moved
            .iter()
            .filter_map(|index| self.live.get(*index))
            .map(|live| checkpoint_name(&*live.projection))
            .collect();
        let Some((mut tx, parked_now)) = self.apply(tx, &moved, &events, &unreadable).await? else {
            self.load().await?;
            return Ok(1);
        };
        let read = events.len() + unreadable.len();
        let is_behind = !unreadable.is_empty() || !parked_now.is_empty();
        let full = read >= usize::try_from(BATCH_EVENTS_MAX).unwrap_or(usize::MAX);
        if !full && last < head {
            last = past_the_skipped_in_tx(&mut tx, last).await?;
        }
        if last == after {
            return Ok(0);
        }
        move_checkpoints(&mut tx, &names, last).await?;
        tx.commit().await?;
        for index in moved {
            if let Some(live) = self.live.get_mut(index) {
                live.checkpoint = last;
            }
        }
        for (index, streams) in parked_now {
            if let Some(live) = self.live.get_mut(index) {
                live.parked.extend(streams);
            }
        }
        // A batch of events that are all skipped or erased still moved the checkpoint.
        let count = read.max(1);
        for hook in &self.hooks {
            hook(&events);
        }
        if is_behind {
            self.forgets.iter().for_each(|forget| forget());
        }
        self.tell();
        listeners::tell(&self.applied, events);
        Ok(count)
    }

    /// Steps until nothing is left.
    ///
    /// # Errors
    /// See [`Runner::step`].
    pub async fn run_until_quiet(&mut self) -> Result<usize, ProjectionError> {
        let mut total = 0;
        loop {
            let count = self.step().await?;
            total += count;
            if count == 0 {
                return Ok(total);
            }
        }
    }

    /// Steps whenever the log grows, until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut positions = self.store.positions();
        while !cancel.is_cancelled() {
            match self.load().await {
                Ok(()) => break,
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "cannot read checkpoints yet");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
        while !cancel.is_cancelled() {
            positions.mark_unchanged();
            match self.step().await {
                Ok(0) => {
                    self.look_back().await;
                    tokio::select! {
                        () = cancel.cancelled() => break,
                        _ = positions.changed() => {}
                        () = self.reload.notified() => self.load_or_warn().await,
                        () = tokio::time::sleep(IDLE) => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    error!(error = &error as &dyn std::error::Error, "a projection batch failed");
                    tokio::select! {
                        () = cancel.cancelled() => break,
                        () = tokio::time::sleep(AFTER_ERROR) => {}
                    }
                    // The database may have been restored or a rebuild have switched tables.
                    self.load_or_warn().await;
                }
            }
        }
        info!("projections stopped");
    }

    /// Once everything is applied: what waits for former versions of read models waits for nobody any more.
    async fn look_back(&mut self) {
        if self.has_looked_back {
            return;
        }
        match parked::forget_former(&self.pool).await {
            Ok(()) => self.has_looked_back = true,
            Err(error) => warn!(
                error = &error as &dyn std::error::Error,
                "cannot forget what waits for former versions yet"
            ),
        }
    }

    /// Somebody may have retried what was parked; while nothing is, nobody asks.
    async fn reload_parked_in_tx(&mut self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        for live in self.live.iter_mut().filter(|live| !live.parked.is_empty()) {
            let name = checkpoint_name(&*live.projection);
            live.parked = parked::streams_in_tx(tx, &name).await?;
        }
        Ok(())
    }

    async fn load_or_warn(&mut self) {
        if let Err(error) = self.load().await {
            warn!(error = &error as &dyn std::error::Error, "cannot read checkpoints yet");
        }
    }

    /// Begins a transaction that holds the checkpoints; none when they are not as this runner knows them.
    async fn begin_at_checkpoints(&self) -> Result<Option<Tx>, ProjectionError> {
        let names: Vec<String> =
            self.live.iter().map(|live| checkpoint_name(&*live.projection)).collect();
        let mut tx = self.pool.begin().await?;
        let stored: Vec<(String, i64)> =
            sqlx::query_as(HOLD_CHECKPOINTS).bind(&names).fetch_all(&mut *tx).await?;
        let stored: HashMap<String, i64> = stored.into_iter().collect();
        let hold = self.live.iter().zip(&names).all(|(live, name)| {
            stored.get(name).copied().unwrap_or_default() == live.checkpoint.get()
        });
        if hold && stored.is_empty() {
            // Without a row the settings were not made either.
            sqlx::query(SETTINGS).execute(&mut *tx).await?;
        }
        Ok(hold.then_some(tx))
    }

    /// Applies a batch to the given projections and says which streams were parked for which of them.
    ///
    /// First all in one go. When that fails, or some of it cannot be read, in a new transaction with
    /// savepoints, so that one bad stream holds nobody up. `None`: the checkpoints have moved in between.
    async fn apply(
        &self,
        mut tx: Tx,
        indexes: &[usize],
        events: &[Event],
        unreadable: &[Unreadable],
    ) -> Result<Option<(Tx, Parked)>, ProjectionError> {
        if unreadable.is_empty() {
            match self.apply_all(&mut tx, indexes, events).await {
                Ok(true) => return Ok(Some((tx, Parked::new()))),
                Ok(false) => {}
                Err(error) => warn!(
                    error = &error as &dyn std::error::Error,
                    "a batch failed, applying it with more care"
                ),
            }
        }
        tx.rollback().await?;
        let Some(mut tx) = self.begin_at_checkpoints().await? else { return Ok(None) };
        let mut parked_now = Parked::new();
        for index in indexes {
            let Some(live) = self.live.get(*index) else { continue };
            let name = checkpoint_name(&*live.projection);
            let careful =
                Careful { projection: &*live.projection, name: &name, parked: &live.parked };
            let streams = careful.apply_in_tx(&mut tx, events, unreadable).await?;
            if !streams.is_empty() {
                parked_now.push((*index, streams));
            }
        }
        Ok(Some((tx, parked_now)))
    }

    /// Applies a batch without savepoints; `false` when some of it belongs to a parked stream.
    async fn apply_all(
        &self,
        tx: &mut PgConnection,
        indexes: &[usize],
        events: &[Event],
    ) -> Result<bool, ProjectionError> {
        for live in indexes.iter().filter_map(|index| self.live.get(*index)) {
            let mine: Vec<&Event> = relevant(&*live.projection, events).collect();
            if mine.iter().any(|event| live.parked.contains(&event.stream_id)) {
                return Ok(false);
            }
            if !mine.is_empty() {
                live.projection.apply_in_tx(tx, &mine).await?;
            }
        }
        Ok(true)
    }

    fn tell(&self) {
        if let Some(position) = self.live.iter().map(|live| live.checkpoint).min() {
            self.position.send_replace(position);
        }
    }
}

/// The next events, and the position of the last of them.
pub(crate) async fn read(
    store: &dyn EventStore,
    after: GlobalPosition,
    events_max: u32,
) -> Result<(Vec<Recorded>, GlobalPosition), ProjectionError> {
    let recorded = store.read_all(after, events_max).await?;
    let last = recorded.last().and_then(|event| event.position).unwrap_or(after);
    Ok((recorded, last))
}

/// The head of the log, when every position after `last` was skipped or erased; else `last`.
///
/// Asked in the transaction that moves the checkpoint, in one statement: a head that was read before a
/// crash of the database may name positions that were lost with it and are given to other events since.
pub(crate) async fn past_the_skipped_in_tx(
    tx: &mut PgConnection,
    last: GlobalPosition,
) -> Result<GlobalPosition, ProjectionError> {
    let head: Option<i64> = sqlx::query_scalar(
        "select head.position
           from log.head
          where not exists (
                select from log.positions
                 where positions.position > $1
                   and not exists (select from log.skipped
                                    where skipped.event_id = positions.event_id))",
    )
    .bind(last.get())
    .fetch_optional(tx)
    .await?;
    Ok(head.map_or(last, GlobalPosition::new).max(last))
}

/// The events that a projection takes.
pub(crate) fn relevant<'a>(
    projection: &'a dyn Projection,
    events: &'a [Event],
) -> impl Iterator<Item = &'a Event> {
    events.iter().filter(move |event| takes(projection, &event.stream_id))
}

/// Whether a projection takes the events of a stream.
pub(crate) fn takes(projection: &dyn Projection, stream_id: &str) -> bool {
    stream_id
        .split_once('-')
        .is_some_and(|(aggregate, _)| projection.aggregates().contains(&aggregate))
}

/// A projection's checkpoint; the start when it has none.
pub(crate) async fn checkpoint(
    db: &mut PgConnection,
    name: &str,
) -> Result<GlobalPosition, ProjectionError> {
    let position: Option<i64> =
        sqlx::query_scalar("select position from work.checkpoints where name = $1")
            .bind(name)
            .fetch_optional(db)
            .await?;
    Ok(position.map_or(GlobalPosition::START, GlobalPosition::new))
}

/// Moves checkpoints forward, in the transaction of the rows.
async fn move_checkpoints(
    tx: &mut PgConnection,
    names: &[String],
    position: GlobalPosition,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "insert into work.checkpoints (name, position)
         select name, $2 from unnest($1::text[]) as names (name)
         on conflict (name) do update set position = excluded.position
          where work.checkpoints.position < excluded.position",
    )
    .bind(names)
    .bind(position.get())
    .execute(tx)
    .await?;
    Ok(())
}
