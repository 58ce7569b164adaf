//! Whoever works on rebuilds: one step at a time, one process at a time; who takes in the log does so
//! with others that stand at the same place.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use calotype_eventstore::{EventStore, GlobalPosition, Recorded};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::compare::{self, Compared};
use super::fill::{self, BATCH_EVENTS_MAX, Failure, Filled};
use super::lost::Lost;
use super::record::{self, Record, Stage, Wish};
use super::switch::{Switched, switch};
use super::tables::{self, Place};
use super::together::{self, AheadTogether, TOGETHER_EVENTS_MAX};
use super::{of_checkpoint, target};
use crate::error::ProjectionError;
use crate::event::because;
use crate::projection::Projection;
use crate::runner::read;

/// The lock of whoever works, for all processes of a database.
const LOCK: i64 = 0x7265_6275_696c_6473;
/// How often is looked whether there is something to do, where nobody rings.
const IDLE: Duration = Duration::from_secs(1);
/// How often generations are looked after that nobody is at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long is waited after an error of the database, and for readers that keep the tables.
const AFTER_ERROR: Duration = Duration::from_millis(500);
/// How long is waited before readers are asked once more to let go of the tables.
const AFTER_BUSY: Duration = Duration::from_millis(250);
/// How long a step that waits for its turn waits at once, so that a pause is seen soon.
const WAIT_MAX: Duration = Duration::from_millis(250);

/// Events that were read while those before them were applied, and up to where they were read.
struct Ahead {
    name: String,
    after: GlobalPosition,
    recorded: Vec<Recorded>,
    last: GlobalPosition,
}

impl Ahead {
    /// Whether these events follow on what a rebuild has, and are no more than it may take.
    fn is_after(&self, seen: &Record, most: u32) -> bool {
        self.name == seen.name
            && self.after == seen.position()
            && self.recorded.len() <= usize_of(most)
    }
}

/// Works on rebuilds.
pub struct Rebuilder {
    pub(super) pool: PgPool,
    pub(super) store: Arc<dyn EventStore>,
    bell: Arc<Notify>,
    events_max: u32,
    pub(super) together_max: u32,
    ahead: Option<Ahead>,
    pub(super) ahead_together: Option<AheadTogether>,
    /// The rebuilds whose tables were looked at.
    pub(super) known: HashSet<String>,
    /// When the next batch of a rebuild with a limit may be taken.
    next_batch: Instant,
    lost: Lost,
    /// When generations are looked after next.
    look_at: Instant,
}

impl Rebuilder {
    /// Over a database and its log.
    #[must_use]
    pub fn new(pool: PgPool, store: Arc<dyn EventStore>) -> Self {
        Self {
            pool,
            store,
            bell: Arc::default(),
            events_max: BATCH_EVENTS_MAX,
            together_max: TOGETHER_EVENTS_MAX,
            ahead: None,
            ahead_together: None,
            known: HashSet::new(),
            next_batch: Instant::now(),
            lost: Lost::default(),
            look_at: Instant::now() + LOOK_EVERY,
        }
    }

    /// Rung by whoever ordered something in this process.
    #[must_use]
    pub fn with_bell(self, bell: Arc<Notify>) -> Self {
        Self { bell, ..self }
    }

    /// Works over other connections than those it was made with.
    #[must_use]
    pub fn over(self, pool: PgPool) -> Self {
        Self { pool, ..self }
    }

    /// Takes so many events in a transaction at most, fewer than it would.
    #[must_use]
    pub fn in_batches_of(self, events_max: u32) -> Self {
        Self {
            events_max: events_max.clamp(1, BATCH_EVENTS_MAX),
            together_max: events_max.clamp(1, TOGETHER_EVENTS_MAX),
            ..self
        }
    }

    /// Works until no rebuild runs, or until it is somebody else who works.
    ///
    /// # Errors
    /// What the database said; it goes on from there the next time.
    pub async fn work(&mut self) -> Result<(), ProjectionError> {
        if record::running(&self.pool).await?.is_empty() {
            return Ok(());
        }
        let mut turn = self.pool.begin().await?;
        let is_ours: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut *turn)
            .await?;
        if is_ours {
            while self.step().await? {
                self.look_after().await?;
            }
        }
        turn.rollback().await?;
        Ok(())
    }

    /// Looks after generations that nobody is at, now and then.
    async fn look_after(&mut self) -> Result<(), ProjectionError> {
        if Instant::now() < self.look_at {
            return Ok(());
        }
        self.look_at = Instant::now() + LOOK_EVERY;
        self.known.clear();
        self.lost.look(&self.pool).await
    }

    /// One step of the rebuild that was begun first, and of those that go with it; false when none runs.
    ///
    /// # Errors
    /// What the database said; nothing of the step was kept.
    pub async fn step(&mut self) -> Result<bool, ProjectionError> {
        let running = record::running(&self.pool).await?;
        let Some(seen) = running.first() else {
            self.known.clear();
            self.ahead = None;
            self.ahead_together = None;
            return Ok(false);
        };
        if let Some(group) = together::group(&running) {
            self.ahead = None;
            self.fill_together(&group).await?;
            return Ok(true);
        }
        self.ahead_together = None;
        let Some(projection) = of_checkpoint(&seen.name) else {
            let mut db = self.pool.acquire().await?;
            let failure = Failure::without_event("this release has no such read model");
            record::fail(&mut db, &seen.name, &failure).await?;
            return Ok(true);
        };
        if !self.known.contains(&seen.name) && !self.look_at_tables(seen, &*projection).await? {
            return Ok(true);
        }
        match self.at(seen, &*projection).await {
            Err(error) if fill::is_of_an_event(&error) => {
                let mut db = self.pool.acquire().await?;
                let failure = Failure::without_event(because(&error));
                record::fail(&mut db, &seen.name, &failure).await?;
                tell_stopped(seen, &failure);
            }
            done => done?,
        }
        Ok(true)
    }

    async fn at(
        &mut self,
        seen: &Record,
        projection: &dyn Projection,
    ) -> Result<(), ProjectionError> {
        match seen.stage() {
            Stage::Filling => self.fill(seen, projection).await,
            Stage::Indexing => {
                let mut tx = self.pool.begin().await?;
                tables::index_in_tx(&mut tx, projection).await?;
                record::enter(&mut tx, &seen.name, Stage::Comparing).await?;
                Ok(tx.commit().await?)
            }
            Stage::Comparing => self.compare(seen, projection).await,
            Stage::Switching => self.switch(seen, projection).await,
        }
    }

    /// Works whenever there is something to do, until cancelled. What is cut off is taken up at the next start.
    pub async fn run(mut self, cancel: CancellationToken) {
        let bell = Arc::clone(&self.bell);
        self.look_at = Instant::now();
        while !cancel.is_cancelled() {
            let working = async {
                self.look_after().await?;
                self.work().await
            };
            let worked = tokio::select! {
                () = cancel.cancelled() => break,
                worked = working => worked,
            };
            let wait = match worked {
                Ok(()) => IDLE,
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "cannot work on rebuilds now");
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// What is taken up from before may have been dropped, or made by a release with other columns: then it begins
    /// again. False where it did, or cannot.
    pub(super) async fn look_at_tables(
        &mut self,
        seen: &Record,
        projection: &dyn Projection,
    ) -> Result<bool, ProjectionError> {
        let mut tx = self.pool.begin().await?;
        if !record::hold_in_tx(&mut tx, seen).await? {
            return Ok(false);
        }
        let is_whole = tables::is_shaped_like_live(&mut tx, projection, Place::Next).await?;
        if !is_whole && seen.wish() == Wish::Rollback {
            let reason = "the generation before has other columns than the live one: another release \
                          changed them";
            record::fail(&mut tx, &seen.name, &Failure::without_event(reason)).await?;
        } else if !is_whole {
            tables::begin_in_tx(&mut tx, projection).await?;
            sqlx::query(
                "update work.rebuilds
                    set stage = 'filling', position = 0, events = 0, resumed_events = 0,
                        comparison = null, examples = null
                  where name = $1",
            )
            .bind(&seen.name)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.known.insert(seen.name.clone());
        Ok(is_whole)
    }

    /// Applies one batch, and reads the one after it meanwhile.
    async fn fill(
        &mut self,
        seen: &Record,
        projection: &dyn Projection,
    ) -> Result<(), ProjectionError> {
        let now = Instant::now();
        if seen.events_per_second_max.is_some() && self.next_batch > now {
            tokio::time::sleep((self.next_batch - now).min(WAIT_MAX)).await;
            return Ok(());
        }
        let after = seen.position();
        let mut db = self.pool.acquire().await?;
        let target = target(&mut db, &*self.store, &seen.name).await?;
        if after >= target {
            return self.filled(&mut db, seen).await;
        }
        let most = batch_events(seen, self.events_max);
        let (mut recorded, mut last) = match self.ahead.take() {
            Some(ahead) if ahead.is_after(seen, most) => (ahead.recorded, ahead.last),
            _ => self.read(seen, projection, after, target, most).await?,
        };
        recorded.retain(|event| event.position <= Some(target));
        last = last.min(target);
        let applying = fill::batch(&mut db, projection, seen, &recorded, last);
        let reading = async {
            if last >= target {
                return Ok(None);
            }
            self.read(seen, projection, last, target, most).await.map(Some)
        };
        let (filled, ahead) = tokio::try_join!(applying, reading)?;
        if let Some(rate) = seen.events_per_second_max {
            let events = f64::from(u32::try_from(recorded.len()).unwrap_or(u32::MAX));
            let takes = Duration::from_secs_f64(events / f64::from(rate.max(1)));
            self.next_batch = now + takes;
        }
        match filled {
            Filled::Applied => {
                self.ahead = ahead.map(|(recorded, to)| Ahead {
                    name: seen.name.clone(),
                    after: last,
                    recorded,
                    last: to,
                });
            }
            Filled::Overtaken => {}
            Filled::Stopped(failure) => tell_stopped(seen, &failure),
        }
        Ok(())
    }

    /// What comes next, and up to where that is; `target` was known before it is read. Only what the read model takes
    /// is read, but where the load is limited: then a part of the log is a part of it.
    async fn read(
        &self,
        seen: &Record,
        projection: &dyn Projection,
        after: GlobalPosition,
        target: GlobalPosition,
        most: u32,
    ) -> Result<(Vec<Recorded>, GlobalPosition), ProjectionError> {
        if seen.events_per_second_max.is_some() {
            let (recorded, last) = read(&*self.store, after, most).await?;
            // Positions without an event were skipped or erased.
            let is_all = recorded.len() < usize_of(most);
            return Ok((recorded, if is_all { target } else { last }));
        }
        let some = self.store.read_aggregates(after, projection.aggregates(), most).await?;
        Ok((some.events, some.looked_to))
    }

    /// The log is taken in; comparing or switching may have sent it back to take in more.
    pub(super) async fn filled(
        &self,
        db: &mut PgConnection,
        seen: &Record,
    ) -> Result<(), ProjectionError> {
        let stage = match (seen.comparison.is_some(), seen.wish()) {
            (true, _) => Stage::Switching,
            (false, _) => Stage::Indexing,
        };
        record::enter(db, &seen.name, stage).await
    }

    async fn compare(
        &self,
        seen: &Record,
        projection: &dyn Projection,
    ) -> Result<(), ProjectionError> {
        let compared = compare::compare(&self.pool, &*self.store, projection, seen).await?;
        let mut db = self.pool.acquire().await?;
        let (comparison, examples) = match compared {
            Compared::Both(comparison, examples) => (comparison, examples),
            Compared::Behind => return record::enter(&mut db, &seen.name, Stage::Filling).await,
            Compared::Ahead if seen.wish() != Wish::Diff => {
                return record::enter(&mut db, &seen.name, Stage::Switching).await;
            }
            Compared::Ahead => {
                let reason = "nobody has applied the log to the live read model, so there is nothing to compare with";
                let failure = Failure::without_event(reason);
                return record::fail(&mut db, &seen.name, &failure).await;
            }
            Compared::Overtaken => return Ok(()),
            Compared::Stopped(failure) => {
                tell_stopped(seen, &failure);
                return Ok(());
            }
        };
        let mut tx = sqlx::Connection::begin(&mut *db).await?;
        if !compare::is_wanted_in_tx(&mut tx, seen).await? {
            return Ok(());
        }
        compare::keep_in_tx(&mut tx, &seen.name, &comparison, &examples).await?;
        if seen.wish() == Wish::Diff {
            tables::drop_in_tx(&mut tx, Place::Next, projection.tables()).await?;
            record::end_in_tx(&mut tx, &seen.name).await?;
        }
        tx.commit().await?;
        info!(projection = projection.name(), same = comparison.is_same(), "compared generations");
        Ok(())
    }

    async fn switch(
        &mut self,
        seen: &Record,
        projection: &dyn Projection,
    ) -> Result<(), ProjectionError> {
        match switch(&self.pool, &*self.store, projection, seen).await? {
            Switched::Done => {
                self.known.remove(&seen.name);
                info!(
                    projection = projection.name(),
                    wish = seen.wish().as_str(),
                    "switched to what was built"
                );
            }
            Switched::Behind => {
                let mut db = self.pool.acquire().await?;
                record::enter(&mut db, &seen.name, Stage::Filling).await?;
            }
            Switched::Busy => tokio::time::sleep(AFTER_BUSY).await,
            Switched::Overtaken => {}
            Switched::Stopped(failure) => {
                let mut db = self.pool.acquire().await?;
                record::fail(&mut db, &seen.name, &failure).await?;
                tell_stopped(seen, &failure);
            }
        }
        Ok(())
    }
}

pub(super) fn tell_stopped(seen: &Record, failure: &Failure) {
    error!(
        projection = seen.name,
        event.id = failure.event_id.map(tracing::field::display),
        stream.id = failure.stream_id,
        reason = failure.reason,
        "a rebuild stopped; the live read model is as before"
    );
}

/// Events of one batch: what a limit allows within a second, at most.
fn batch_events(seen: &Record, events_max: u32) -> u32 {
    seen.events_per_second_max
        .and_then(|rate| u32::try_from(rate).ok())
        .map_or(events_max, |rate| rate.clamp(1, events_max))
}

fn usize_of(events: u32) -> usize {
    usize::try_from(events).unwrap_or(usize::MAX)
}
