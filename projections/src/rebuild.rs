//! Making a projection's tables anew from the log, beside the live ones, then switching.
//!
//! The next generation grows in the schema `read_next`; it is strict and stops at the first event it
//! cannot apply. The switch is one transaction: tables change schema, the checkpoint moves, what was
//! parked is forgotten.

use std::sync::Arc;

use calotype_eventstore::{EventStore, GlobalPosition, Recorded};
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tracing::info;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::parked;
use crate::projection::{Projection, all, checkpoint_name};
use crate::runner::{checkpoint, past_the_skipped_in_tx, read, relevant};

/// Events read and applied in one transaction: more than live, nobody waits for one of them.
const REBUILD_EVENTS_MAX: u32 = 5_000;

/// What a rebuild did.
#[derive(Clone, Debug, Serialize)]
pub struct Rebuilt {
    /// The projection.
    pub name: String,
    /// Events read from the log.
    pub events: u64,
    /// The position it stands at.
    pub position: i64,
}

/// How a projection stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u16,
    /// The position it has applied.
    pub position: i64,
    /// Events of the log it has not applied yet.
    pub lag_events: i64,
    /// Streams parked for it.
    pub parked_streams: i64,
}

/// How every projection stands.
///
/// # Errors
/// What the database said.
pub async fn list(pool: &PgPool, store: &dyn EventStore) -> Result<Vec<Status>, ProjectionError> {
    let head = store.head().await?.get();
    let mut db = pool.acquire().await?;
    let mut statuses = Vec::new();
    for projection in all() {
        let name = checkpoint_name(&*projection);
        let position = checkpoint(&mut db, &name).await?.get();
        let parked = parked::streams_in_tx(&mut db, &name).await?.len();
        statuses.push(Status {
            name: projection.name().to_owned(),
            version: projection.version(),
            position,
            lag_events: head - position,
            parked_streams: i64::try_from(parked).unwrap_or(i64::MAX),
        });
    }
    Ok(statuses)
}

/// Builds one projection anew and switches to it.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`], [`ProjectionError::Strict`], and what the database said;
/// the live tables are as before.
pub async fn rebuild(
    pool: &PgPool,
    store: &Arc<dyn EventStore>,
    name: &str,
) -> Result<Rebuilt, ProjectionError> {
    let projection = all()
        .into_iter()
        .find(|projection| projection.name() == name)
        .ok_or_else(|| ProjectionError::UnknownProjection { name: name.to_owned() })?;
    let mut db = pool.acquire().await?;
    begin(&mut db, &*projection).await?;
    let mut position = GlobalPosition::START;
    let mut events: u64 = 0;
    let mut next = read(&**store, position, REBUILD_EVENTS_MAX).await?;
    while !next.0.is_empty() {
        let (recorded, last) = next;
        // While one batch is applied, the one after it is read.
        let applying = catch_up(&mut db, &*projection, &recorded);
        let (count, following) =
            tokio::try_join!(applying, read(&**store, last, REBUILD_EVENTS_MAX))?;
        events += count;
        position = last;
        next = following;
    }
    index(&mut db, &*projection).await?;
    // What came meanwhile is applied in the switching transaction, with the live runner kept out by a lock.
    let mut tx = sqlx::Connection::begin(&mut *db).await?;
    lock_in_tx(&mut tx, &*projection).await?;
    loop {
        let (last, count) = apply_in_tx(&mut tx, &**store, &*projection, position).await?;
        events += count;
        if last == position {
            break;
        }
        position = last;
    }
    switch_in_tx(&mut tx, &*projection, position).await?;
    tx.commit().await?;
    info!(projection = name, events, "rebuilt a projection");
    Ok(Rebuilt { name: name.to_owned(), events, position: position.get() })
}

/// Empty tables of the next generation, shaped like the live ones. Only the primary keys are there from
/// the start: the other indexes are cheaper to make at the end than to keep on the way.
async fn begin(db: &mut PgConnection, projection: &dyn Projection) -> Result<(), ProjectionError> {
    for table in projection.tables() {
        sqlx::query(AssertSqlSafe(format!("drop table if exists read_next.{table}")))
            .execute(&mut *db)
            .await?;
        sqlx::query(AssertSqlSafe(format!(
            "create table read_next.{table} (like read.{table} including all excluding indexes)"
        )))
        .execute(&mut *db)
        .await?;
        for (index, definition) in indexes(db, table, true).await? {
            let (_, columns) = definition.split_once(" USING btree ").unwrap_or_default();
            sqlx::query(AssertSqlSafe(format!(
                "alter table read_next.{table} add constraint {index} primary key {columns}"
            )))
            .execute(&mut *db)
            .await?;
        }
    }
    Ok(())
}

/// The other indexes of the next generation.
async fn index(db: &mut PgConnection, projection: &dyn Projection) -> Result<(), ProjectionError> {
    for table in projection.tables() {
        for (_, definition) in indexes(db, table, false).await? {
            let next = definition.replace(" ON read.", " ON read_next.");
            sqlx::query(AssertSqlSafe(next)).execute(&mut *db).await?;
        }
    }
    Ok(())
}

/// Name and definition of a live table's primary key, or of its other indexes.
async fn indexes(
    db: &mut PgConnection,
    table: &str,
    is_primary: bool,
) -> Result<Vec<(String, String)>, ProjectionError> {
    Ok(sqlx::query_as(
        "select class.relname::text, pg_get_indexdef(index.indexrelid)
           from pg_index as index
           join pg_class as class on class.oid = index.indexrelid
          where index.indrelid = ('read.' || quote_ident($1))::regclass
            and index.indisprimary = $2
          order by class.relname",
    )
    .bind(table)
    .bind(is_primary)
    .fetch_all(db)
    .await?)
}

async fn catch_up(
    db: &mut PgConnection,
    projection: &dyn Projection,
    recorded: &[Recorded],
) -> Result<u64, ProjectionError> {
    let mut tx = sqlx::Connection::begin(db).await?;
    let count = apply_batch_in_tx(&mut tx, projection, recorded).await?;
    tx.commit().await?;
    Ok(count)
}

/// Reads a batch and applies it; says how far that reached.
async fn apply_in_tx(
    tx: &mut PgConnection,
    store: &dyn EventStore,
    projection: &dyn Projection,
    after: GlobalPosition,
) -> Result<(GlobalPosition, u64), ProjectionError> {
    let (recorded, last) = read(store, after, REBUILD_EVENTS_MAX).await?;
    if recorded.is_empty() {
        return Ok((past_the_skipped_in_tx(tx, last).await?, 0));
    }
    Ok((last, apply_batch_in_tx(tx, projection, &recorded).await?))
}

async fn apply_batch_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    recorded: &[Recorded],
) -> Result<u64, ProjectionError> {
    sqlx::query("set local synchronous_commit = off").execute(&mut *tx).await?;
    sqlx::query("set local search_path = read_next").execute(&mut *tx).await?;
    let events = recorded.iter().map(Event::decode).collect::<Result<Vec<Event>, _>>()?;
    let mine: Vec<&Event> = relevant(projection, &events).collect();
    if let Err(source) = projection.apply_in_tx(tx, &mine).await {
        // Without an event to name, what the database said is still told.
        let Some(first) = mine.first() else { return Err(source) };
        return Err(ProjectionError::Strict {
            projection: projection.name(),
            event_id: first.event_id,
            position: first.position.get(),
            source: Box::new(source),
        });
    }
    Ok(u64::try_from(events.len()).unwrap_or(u64::MAX))
}

/// Keeps the live runner from moving this projection until the transaction ends:
/// it locks the same row before it applies anything.
async fn lock_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<(), ProjectionError> {
    let name = checkpoint_name(projection);
    sqlx::query(
        "insert into work.checkpoints (name, position) values ($1, 0) on conflict do nothing",
    )
    .bind(&name)
    .execute(&mut *tx)
    .await?;
    sqlx::query("select position from work.checkpoints where name = $1 for update")
        .bind(&name)
        .execute(&mut *tx)
        .await?;
    for table in projection.tables() {
        sqlx::query(AssertSqlSafe(format!("lock table read.{table} in access exclusive mode")))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

async fn switch_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    position: GlobalPosition,
) -> Result<(), ProjectionError> {
    for table in projection.tables() {
        for statement in [
            format!("drop table read.{table}"),
            format!("alter table read_next.{table} set schema read"),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
    }
    let name = checkpoint_name(projection);
    sqlx::query("update work.checkpoints set position = $2 where name = $1")
        .bind(&name)
        .bind(position.get())
        .execute(&mut *tx)
        .await?;
    parked::clear_in_tx(tx, &name).await
}
