//! The tables of generations: made like the live ones, moved between schemas, dropped.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::ProjectionError;
use crate::projection::Projection;

/// Nobody has to read that a table or an index was there, or was not.
const NO_NOTICES: &str = "set local client_min_messages = warning";

/// Where a generation lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The one that answers.
    Live,
    /// The one that grows.
    Next,
    /// The one that answered before.
    Previous,
}

impl Place {
    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Live => "read",
            Self::Next => "read_next",
            Self::Previous => "read_prev",
        }
    }
}

/// Empty tables of the next generation, shaped like the live ones. Only the primary keys are there from
/// the start: the other indexes are cheaper to make at the end than to keep on the way.
pub(super) async fn begin_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<(), ProjectionError> {
    drop_in_tx(tx, Place::Next, projection.tables()).await?;
    for table in projection.tables() {
        let create = format!(
            "create table read_next.{table} (like read.{table} including all excluding indexes)"
        );
        execute(tx, create).await?;
        for (index, definition) in indexes(tx, table, true).await? {
            let (_, columns) = definition.split_once(" USING btree ").unwrap_or_default();
            let add = format!(
                "alter table read_next.{table} add constraint {index} primary key {columns}"
            );
            execute(tx, add).await?;
        }
    }
    Ok(())
}

/// The other indexes of the next generation, those that are there left out, and what the planner wants to know.
pub(super) async fn index_in_tx(
    db: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<(), ProjectionError> {
    execute(db, NO_NOTICES.to_owned()).await?;
    for table in projection.tables() {
        for (_, definition) in indexes(db, table, false).await? {
            let next = definition.replace(" ON read.", " ON read_next.").replacen(
                " INDEX ",
                " INDEX IF NOT EXISTS ",
                1,
            );
            execute(db, next).await?;
        }
        execute(db, format!("analyze read_next.{table}")).await?;
    }
    Ok(())
}

/// Drops the tables of a generation, those that are not there left out.
pub(super) async fn drop_in_tx<T: AsRef<str>>(
    tx: &mut PgConnection,
    place: Place,
    tables: &[T],
) -> Result<(), ProjectionError> {
    execute(tx, NO_NOTICES.to_owned()).await?;
    for table in tables {
        let (schema, table) = (place.schema(), table.as_ref());
        execute(tx, format!("drop table if exists {schema}.{table}")).await?;
    }
    Ok(())
}

/// Moves the tables of a generation, with their indexes, to another place where none are.
pub(super) async fn move_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    from: Place,
    to: Place,
) -> Result<(), ProjectionError> {
    let (from, to) = (from.schema(), to.schema());
    for table in projection.tables() {
        execute(tx, format!("alter table {from}.{table} set schema {to}")).await?;
    }
    Ok(())
}

/// Whether a generation has all tables of the live one, with the same columns in the same order: another release
/// may have added some since it was made.
pub(super) async fn is_shaped_like_live(
    db: &mut PgConnection,
    projection: &dyn Projection,
    place: Place,
) -> Result<bool, ProjectionError> {
    let mut shapes = Vec::new();
    for schema in [Place::Live.schema(), place.schema()] {
        let columns: Vec<String> = sqlx::query_scalar(
            "select class.relname || ' ' || attribute.attname || ' '
                    || format_type(attribute.atttypid, attribute.atttypmod) || ' '
                    || attribute.attnotnull
               from pg_attribute as attribute
               join pg_class as class on class.oid = attribute.attrelid
              where class.relnamespace = $1::regnamespace and class.relname = any($2)
                and class.relkind = 'r' and attribute.attnum > 0 and not attribute.attisdropped
              order by class.relname, attribute.attnum",
        )
        .bind(schema)
        .bind(projection.tables())
        .fetch_all(&mut *db)
        .await?;
        shapes.push(columns);
    }
    Ok(shapes.first() == shapes.last())
}

/// The columns of a live table's primary key, quoted, in their order.
pub(super) async fn key_columns(
    db: &mut PgConnection,
    table: &str,
) -> Result<Vec<String>, ProjectionError> {
    Ok(sqlx::query_scalar(
        "select quote_ident(attribute.attname)
           from pg_index as index
           join unnest(index.indkey::int2[]) with ordinality as key (attnum, place) on true
           join pg_attribute as attribute
             on attribute.attrelid = index.indrelid and attribute.attnum = key.attnum
          where index.indrelid = ('read.' || quote_ident($1))::regclass and index.indisprimary
          order by key.place",
    )
    .bind(table)
    .fetch_all(db)
    .await?)
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

pub(super) async fn execute(
    db: &mut PgConnection,
    statement: String,
) -> Result<(), ProjectionError> {
    sqlx::query(AssertSqlSafe(statement)).execute(db).await?;
    Ok(())
}
