//! Both generations side by side, at the same position of the log: how many rows only one of them has, how many
//! differ, and some of them.
//!
//! Rows are told apart by their primary key and compared by a hash over all of their columns as text, so that
//! memory and disk take little for each.

use std::collections::BTreeMap;

use calotype_eventstore::{EventStore, GlobalPosition};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::fill::{self, BATCH_EVENTS_MAX, Failure};
use super::record::{self, Record};
use super::tables::{execute, key_columns};
use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::runner::read;

/// Examples of one table.
const EXAMPLES_MAX: i64 = 10;
/// Characters of a text that an example shows.
const TEXT_CHARS_MAX: usize = 200;
/// Parts of the names of columns that hold what opens something, or may: their values are not shown.
const SECRET_PARTS: [&str; 7] =
    ["password", "secret", "token", "pin_hash", "sha256", "license_key", "activation_key"];
/// Such names as a whole.
const SECRET_NAMES: [&str; 3] = ["key", "slug", "settings"];
/// What stands in their place.
const HIDDEN: &str = "(hidden)";

/// Both generations, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The position of the log at which both stood.
    pub position: i64,
    /// Each table.
    pub tables: Vec<TableComparison>,
}

impl Comparison {
    /// Whether both hold the same rows.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(|table| table.only_live + table.only_next + table.different == 0)
    }
}

/// A table of both generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableComparison {
    /// Its name, without a schema.
    pub table: String,
    /// Rows that answer now.
    pub live_rows: i64,
    /// Rows that were built.
    pub next_rows: i64,
    /// Keys that only the live one has.
    pub only_live: i64,
    /// Keys that only the next one has.
    pub only_next: i64,
    /// Keys that both have, with other values.
    pub different: i64,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// Of which table.
    pub table: String,
    /// Its primary key.
    pub key: Value,
    /// The live row.
    pub live: Option<Value>,
    /// The next row.
    pub next: Option<Value>,
    /// Columns whose values differ.
    pub columns: Vec<String>,
}

/// What came of comparing.
#[derive(Debug)]
pub(super) enum Compared {
    /// Both, at one position, with some rows that differ.
    Both(Comparison, Vec<Example>),
    /// The live one is far ahead: the log has to be taken in first.
    Behind,
    /// The next one is ahead, because nobody applies the log to the live one.
    Ahead,
    /// Somebody else moved, paused or gave up the rebuild.
    Overtaken,
    /// It stopped at an event.
    Stopped(Failure),
}

/// Compares both generations at the position of the live one.
///
/// The live one is held for as long as it takes to bring the next one up to it; what is compared then is a snapshot.
pub(super) async fn compare(
    pool: &PgPool,
    store: &dyn EventStore,
    projection: &dyn Projection,
    seen: &Record,
) -> Result<Compared, ProjectionError> {
    let mut held = pool.begin().await?;
    let live: Option<i64> =
        sqlx::query_scalar("select position from work.checkpoints where name = $1 for update")
            .bind(&seen.name)
            .fetch_optional(&mut *held)
            .await?;
    let live = live.map_or(GlobalPosition::START, GlobalPosition::new);
    if live < seen.position() {
        return Ok(Compared::Ahead);
    }
    let mut db = pool.acquire().await?;
    if live > seen.position() {
        let (recorded, last) = read(store, seen.position(), BATCH_EVENTS_MAX).await?;
        let is_all = recorded.len() < usize::try_from(BATCH_EVENTS_MAX).unwrap_or(usize::MAX);
        if last < live && !is_all {
            return Ok(Compared::Behind);
        }
        let recorded: Vec<_> =
            recorded.into_iter().filter(|event| event.position <= Some(live)).collect();
        match fill::batch(&mut db, projection, seen, &recorded, live).await? {
            fill::Filled::Applied => {}
            fill::Filled::Overtaken => return Ok(Compared::Overtaken),
            fill::Filled::Stopped(failure) => return Ok(Compared::Stopped(failure)),
        }
    }
    let mut snapshot = sqlx::Connection::begin(&mut *db).await?;
    execute(&mut snapshot, "set transaction isolation level repeatable read, read only".to_owned())
        .await?;
    execute(&mut snapshot, "set local work_mem = '32MB'".to_owned()).await?;
    // The first statement that reads makes the snapshot; both generations stand at the same position in it.
    sqlx::query("select count(*) from work.read_changes").execute(&mut *snapshot).await?;
    held.rollback().await?;
    let (mut tables, mut examples) = (Vec::new(), Vec::new());
    for table in projection.tables() {
        let keys = key_columns(&mut snapshot, table).await?;
        let compared = count(&mut snapshot, table, &keys).await?;
        if compared.only_live + compared.only_next + compared.different > 0 {
            examples.extend(some(&mut snapshot, table, &keys).await?);
        }
        tables.push(compared);
    }
    snapshot.rollback().await?;
    Ok(Compared::Both(Comparison { position: live.get(), tables }, examples))
}

/// Keeps what was found, and says that comparing is over.
pub(super) async fn keep_in_tx(
    tx: &mut PgConnection,
    name: &str,
    comparison: &Comparison,
    examples: &[Example],
) -> Result<(), ProjectionError> {
    sqlx::query(
        "update work.rebuilds set comparison = $2, examples = $3, stage = 'switching' where name = $1",
    )
    .bind(name)
    .bind(Json(comparison))
    .bind((!examples.is_empty()).then_some(Json(examples)))
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether a row still stands as it was seen, but for its position.
pub(super) async fn is_wanted_in_tx(
    tx: &mut PgConnection,
    seen: &Record,
) -> Result<bool, ProjectionError> {
    let held = record::lock_in_tx(tx, &seen.name).await?;
    Ok(held.is_some_and(|held| {
        held.state() == seen.state() && held.stage() == seen.stage() && held.wish() == seen.wish()
    }))
}

/// Both sides of a table as `l` and `n`, with their keys and a hash each.
fn sides(table: &str, keys: &str) -> String {
    format!(
        "l as (select {keys}, hashtextextended(a_row::text, 0) as digest_of_it from read.{table} as a_row),
         n as (select {keys}, hashtextextended(a_row::text, 0) as digest_of_it
                 from read_next.{table} as a_row)"
    )
}

async fn count(
    db: &mut PgConnection,
    table: &str,
    keys: &[String],
) -> Result<TableComparison, ProjectionError> {
    let keys = keys.join(", ");
    let (live_rows, next_rows, only_live, only_next, different) =
        sqlx::query_as(AssertSqlSafe(format!(
            "with {}
             select count(l.digest_of_it), count(n.digest_of_it),
                    count(*) filter (where n.digest_of_it is null),
                    count(*) filter (where l.digest_of_it is null),
                    count(*) filter (where l.digest_of_it <> n.digest_of_it)
               from l full join n using ({keys})",
            sides(table, &keys)
        )))
        .fetch_one(db)
        .await?;
    let table = table.to_owned();
    Ok(TableComparison { table, live_rows, next_rows, only_live, only_next, different })
}

/// A key with the live row and the next one.
type Found = (Json<Value>, Option<Json<Value>>, Option<Json<Value>>);

async fn some(
    db: &mut PgConnection,
    table: &str,
    keys: &[String],
) -> Result<Vec<Example>, ProjectionError> {
    let columns = keys.join(", ");
    let rows: Vec<Found> = sqlx::query_as(AssertSqlSafe(format!(
        "with {},
                  found as (select {columns} from l full join n using ({columns})
                             where l.digest_of_it is distinct from n.digest_of_it
                             order by {columns} limit {EXAMPLES_MAX})
             select to_jsonb(found), to_jsonb(live_row), to_jsonb(next_row)
               from found
               left join read.{table} as live_row using ({columns})
               left join read_next.{table} as next_row using ({columns})
              order by {columns}",
        sides(table, &columns)
    )))
    .fetch_all(db)
    .await?;
    let of = |(Json(key), live, next): Found| {
        example(table, key, live.map(|Json(row)| row), next.map(|Json(row)| row))
    };
    Ok(rows.into_iter().map(of).collect())
}

fn example(table: &str, key: Value, live: Option<Value>, next: Option<Value>) -> Example {
    let mut columns = Vec::new();
    if let (Some(Value::Object(live)), Some(Value::Object(next))) = (&live, &next) {
        columns.extend(live.keys().filter(|name| live.get(*name) != next.get(*name)).cloned());
    }
    let mut key = key;
    shorten(&mut key);
    Example { table: table.to_owned(), key, live: live.map(shown), next: next.map(shown), columns }
}

/// A row without secrets and without long values.
fn shown(row: Value) -> Value {
    let Value::Object(row) = row else { return row };
    let fields: BTreeMap<String, Value> = row
        .into_iter()
        .map(|(name, mut value)| {
            if is_secret(&name) && !value.is_null() {
                value = HIDDEN.into();
            }
            shorten(&mut value);
            (name, value)
        })
        .collect();
    Value::Object(fields.into_iter().collect())
}

fn is_secret(column: &str) -> bool {
    SECRET_NAMES.contains(&column) || SECRET_PARTS.iter().any(|part| column.contains(part))
}

/// Cuts what is long, whatever it is.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((cut, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
                text.truncate(cut);
                text.push('…');
            }
        }
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.chars().count() > TEXT_CHARS_MAX {
                *value = Value::String(text);
                shorten(value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn example_names_what_differs_and_hides_secrets() {
        let row =
            |name: &str| json!({ "id": 1, "name": name, "password_hash": name, "same": true });
        let made = example("users_v2", json!({ "id": 1 }), Some(row("a")), Some(row("b")));
        assert_eq!(made.columns, ["name", "password_hash"]);
        let live = made.live.unwrap();
        assert_eq!(live["name"], "a");
        assert_eq!(live["password_hash"], HIDDEN);
    }

    #[test]
    fn long_values_are_cut() {
        let mut long = json!({ "words": "x".repeat(1_000) });
        shorten(&mut long);
        assert_eq!(long.as_str().unwrap().chars().count(), TEXT_CHARS_MAX + 1);
        let mut short = json!([1, 2]);
        shorten(&mut short);
        assert_eq!(short, json!([1, 2]));
    }
}
