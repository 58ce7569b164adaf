//! Rows that are folds of one stream: load the rows a batch touches, evolve them in memory, write what changed.
//!
//! A batch costs a handful of statements however many events it holds.
//! An event that a row has seen already (its revision is not above the row's) changes nothing.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;

/// A table whose rows are folds of one stream each.
pub(crate) trait Fold {
    /// The table's name, for errors.
    const TABLE: &'static str;
    /// Selects the rows whose key is any of `$1::uuid[]`.
    const LOAD: &'static str;
    /// Deletes the rows whose key is any of `$1::uuid[]`.
    const DELETE: &'static str;
    /// Inserts the rows of the JSON array `$1`.
    const INSERT: &'static str;
    /// Deletes as [`Fold::DELETE`] does, then inserts the rows of the JSON array `$2`.
    const REPLACE: &'static str;
    /// The row.
    type Row: Clone + PartialEq + Serialize + for<'r> FromRow<'r, PgRow> + Send + Sync + Unpin;

    /// The row's key.
    fn key(row: &Self::Row) -> Uuid;
    /// The revision of the last event the row has seen.
    fn revision(row: &Self::Row) -> i64;
    /// The row after the event; `None` when there is none (any more).
    fn evolve(row: Option<Self::Row>, event: &Event) -> Option<Self::Row>;
}

/// A row before and after a batch.
pub(crate) struct Change<Row> {
    /// What it was.
    pub(crate) before: Option<Row>,
    /// What it is.
    pub(crate) after: Option<Row>,
}

/// Applies events to the table of `F` and says which rows changed.
pub(crate) async fn fold_in_tx<F: Fold>(
    tx: &mut PgConnection,
    events: &[&Event],
) -> Result<Vec<Change<F::Row>>, ProjectionError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut keys: Vec<Uuid> = events.iter().map(|event| event.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let loaded: Vec<F::Row> = sqlx::query_as(F::LOAD).bind(&keys).fetch_all(&mut *tx).await?;
    let before: HashMap<Uuid, F::Row> = loaded.into_iter().map(|row| (F::key(&row), row)).collect();
    let mut after: HashMap<Uuid, Option<F::Row>> = HashMap::with_capacity(keys.len());
    for event in events {
        let row = after.remove(&event.key).unwrap_or_else(|| before.get(&event.key).cloned());
        let seen = row.as_ref().is_some_and(|row| F::revision(row) >= event.revision);
        let row = if seen { row } else { F::evolve(row, event) };
        after.insert(event.key, row);
    }
    let mut before = before;
    let mut changes: Vec<Change<F::Row>> = Vec::with_capacity(keys.len());
    for key in keys {
        let change =
            Change { before: before.remove(&key), after: after.remove(&key).unwrap_or_default() };
        if change.before != change.after {
            changes.push(change);
        }
    }
    store_in_tx::<F>(tx, &changes).await?;
    Ok(changes)
}

/// Applies those events that concern the table of `F`, where a projection hears of others, too.
pub(crate) async fn fold_own_in_tx<F: Fold>(
    tx: &mut PgConnection,
    events: &[&Event],
    is_own: impl Fn(&Event) -> bool,
) -> Result<Vec<Change<F::Row>>, ProjectionError> {
    let own: Vec<&Event> = events.iter().copied().filter(|event| is_own(event)).collect();
    fold_in_tx::<F>(tx, &own).await
}

async fn store_in_tx<F: Fold>(
    tx: &mut PgConnection,
    changes: &[Change<F::Row>],
) -> Result<(), ProjectionError> {
    let replaced: Vec<Uuid> =
        changes.iter().filter_map(|change| change.before.as_ref().map(F::key)).collect();
    let rows: Vec<&F::Row> = changes.iter().filter_map(|change| change.after.as_ref()).collect();
    let json = serde_json::to_string(&rows)
        .map_err(|source| ProjectionError::Row { table: F::TABLE, source })?;
    match (replaced.is_empty(), rows.is_empty()) {
        (true, true) => {}
        (true, false) => {
            sqlx::query(F::INSERT).bind(json).execute(tx).await?;
        }
        (false, true) => {
            sqlx::query(F::DELETE).bind(&replaced).execute(tx).await?;
        }
        (false, false) => {
            sqlx::query(F::REPLACE).bind(&replaced).bind(json).execute(tx).await?;
        }
    }
    Ok(())
}

/// The statements of a [`Fold`] whose table has the given name and key.
macro_rules! fold_sql {
    ($table:literal, $key:literal) => {
        const TABLE: &'static str = $table;
        const LOAD: &'static str = concat!("select * from ", $table, " where ", $key, " = any($1)");
        const DELETE: &'static str = concat!("delete from ", $table, " where ", $key, " = any($1)");
        const INSERT: &'static str = concat!(
            "insert into ",
            $table,
            " select * from json_populate_recordset(null::",
            $table,
            ", $1::json)"
        );
        // The count makes the insert wait for the delete.
        const REPLACE: &'static str = concat!(
            "with gone as (delete from ",
            $table,
            " where ",
            $key,
            " = any($1) returning 1) insert into ",
            $table,
            " select fresh.* from (select count(*) from gone) as emptied, json_populate_recordset(null::",
            $table,
            ", $2::json) as fresh"
        );
    };
}
pub(crate) use fold_sql;
