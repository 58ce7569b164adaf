//! The switch: one transaction in which the next generation takes in what came meanwhile and takes the live
//! one's place, and the live one goes to `read_prev`.

use calotype_eventstore::{EventStore, GlobalPosition};
use sqlx::{PgConnection, PgPool};

use super::changes::changed_in_tx;
use super::fill::{BATCH_EVENTS_MAX, Failure, apply_in_tx, is_of_an_event};
use super::record::{self, Record};
use super::tables::{self, Place, execute};
use crate::error::ProjectionError;
use crate::parked;
use crate::projection::Projection;
use crate::runner::read;
use crate::sync::anew_after_switch_in_tx;

/// How long the runner's batch is waited for; nobody who reads waits meanwhile.
const RUNNER_WAIT: &str = "set local lock_timeout = '10s'";
/// How long readers are waited for; whoever comes after them waits as long.
const READERS_WAIT: &str = "set local lock_timeout = '200ms'";

/// What came of trying to switch.
#[derive(Debug)]
pub(super) enum Switched {
    /// It is live.
    Done,
    /// So much came meanwhile that it is taken in first.
    Behind,
    /// Readers kept the tables; nothing changed.
    Busy,
    /// Somebody else moved, paused or gave up the rebuild.
    Overtaken,
    /// It cannot be switched to.
    Stopped(Failure),
}

/// Switches to the next generation, if nothing keeps it from that.
pub(super) async fn switch(
    pool: &PgPool,
    store: &dyn EventStore,
    projection: &dyn Projection,
    seen: &Record,
) -> Result<Switched, ProjectionError> {
    let mut tx = pool.begin().await?;
    match switch_in_tx(&mut tx, store, projection, seen).await {
        Ok(Switched::Done) => {
            tx.commit().await?;
            Ok(Switched::Done)
        }
        Ok(other) => {
            tx.rollback().await?;
            Ok(other)
        }
        Err(error) if is_lock(&error) => Ok(Switched::Busy),
        Err(error) => Err(error),
    }
}

async fn switch_in_tx(
    tx: &mut PgConnection,
    store: &dyn EventStore,
    projection: &dyn Projection,
    seen: &Record,
) -> Result<Switched, ProjectionError> {
    execute(tx, RUNNER_WAIT.to_owned()).await?;
    if !record::hold_in_tx(tx, seen).await? {
        return Ok(Switched::Overtaken);
    }
    let live = hold_live_in_tx(tx, &seen.name).await?;
    let mut at = seen.position();
    if live > at {
        let (recorded, last) = read(store, at, BATCH_EVENTS_MAX).await?;
        let is_all = recorded.len() < usize::try_from(BATCH_EVENTS_MAX).unwrap_or(usize::MAX);
        if last < live && !is_all {
            return Ok(Switched::Behind);
        }
        let recorded: Vec<_> =
            recorded.into_iter().filter(|event| event.position <= Some(live)).collect();
        match apply_in_tx(tx, projection, &recorded).await {
            Ok(()) => {}
            // Found and named where the log is taken in.
            Err(error) if is_of_an_event(&error) => return Ok(Switched::Behind),
            Err(error) => return Err(error),
        }
        at = live;
        let count = u64::try_from(recorded.len()).unwrap_or(u64::MAX);
        record::advance_in_tx(tx, &seen.name, at, count).await?;
    }
    execute(tx, READERS_WAIT.to_owned()).await?;
    let read: Vec<String> =
        projection.tables().iter().map(|table| format!("read.{table}")).collect();
    execute(tx, format!("lock table {} in access exclusive mode", read.join(", "))).await?;
    if !tables::is_shaped_like_live(tx, projection, Place::Next).await? {
        let reason = "the live tables have other columns than those that were built: another release \
                      changed them meanwhile; discard what was built and begin again";
        return Ok(Switched::Stopped(Failure::without_event(reason)));
    }
    tables::drop_in_tx(tx, Place::Previous, projection.tables()).await?;
    tables::move_in_tx(tx, projection, Place::Live, Place::Previous).await?;
    tables::move_in_tx(tx, projection, Place::Next, Place::Live).await?;
    settle_in_tx(tx, projection, seen, live, at).await?;
    Ok(Switched::Done)
}

/// Keeps the live runner from moving this projection until the transaction ends: it locks the same row before it
/// applies anything. Says where the live one stands.
async fn hold_live_in_tx(
    tx: &mut PgConnection,
    name: &str,
) -> Result<GlobalPosition, ProjectionError> {
    sqlx::query(
        "insert into work.checkpoints (name, position) values ($1, 0) on conflict do nothing",
    )
    .bind(name)
    .execute(&mut *tx)
    .await?;
    let position: i64 =
        sqlx::query_scalar("select position from work.checkpoints where name = $1 for update")
            .bind(name)
            .fetch_one(tx)
            .await?;
    Ok(GlobalPosition::new(position))
}

/// The checkpoint, what was parked, and where the generation stands that was live.
async fn settle_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    seen: &Record,
    live: GlobalPosition,
    at: GlobalPosition,
) -> Result<(), ProjectionError> {
    sqlx::query("update work.checkpoints set position = $2 where name = $1")
        .bind(&seen.name)
        .bind(at.get())
        .execute(&mut *tx)
        .await?;
    // What waited is not in the generation that was live: taking in events once more changes nothing, so it stands
    // before the first of them.
    sqlx::query(
        "update work.rebuilds
            set previous_position = least($2, coalesce((select min(position) - 1 from work.parked
                                                         where kind = 'projection' and name = $1), $2)),
                previous_since = now()
          where name = $1",
    )
    .bind(&seen.name)
    .bind(live.get())
    .execute(&mut *tx)
    .await?;
    parked::clear_in_tx(tx, &seen.name).await?;
    // Without a comparison nobody applied the log to the live one.
    let is_same = seen.comparison.as_ref().is_some_and(|comparison| comparison.0.is_same());
    if !is_same {
        changed_in_tx(tx).await?;
        if seen.comparison.is_some() {
            anew_after_switch_in_tx(tx, projection.aggregates()).await?;
        }
    }
    record::end_in_tx(tx, &seen.name).await
}

/// Whether a lock was not got in time, or given to somebody else.
fn is_lock(error: &ProjectionError) -> bool {
    let ProjectionError::Database(sqlx::Error::Database(told)) = error else { return false };
    told.code().is_some_and(|code| ["55P03", "40P01"].contains(&&*code))
}
