//! The server's own database, opened beside it: what the read tables hold, and emptying them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

/// Every row of every read table as text, in an order of its own.
pub type Rows = BTreeMap<String, Vec<String>>;

/// Connects to the embedded PostgreSQL of a data folder that a server has open, as the role that owns
/// the read tables.
///
/// # Errors
/// It does not run, or the folder has no key for it.
pub async fn connect(data: &Path) -> anyhow::Result<PgPool> {
    connect_as("calotype_app", "postgres-app.password", data).await
}

/// Connects as the superuser, who may do everything, also to the log.
///
/// # Errors
/// As [`connect`].
pub async fn connect_as_superuser(data: &Path) -> anyhow::Result<PgPool> {
    connect_as("postgres", "postgres.password", data).await
}

async fn connect_as(role: &str, password_file: &str, data: &Path) -> anyhow::Result<PgPool> {
    let key = data.join("keys").join(password_file);
    let password = std::fs::read_to_string(&key)
        .with_context(|| format!("failed to read {}", key.display()))?;
    let options = PgConnectOptions::new_without_pgpass()
        .socket(data.join("run/postgres"))
        .username(role)
        .password(password.trim())
        .database("calotype");
    PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await
        .context("failed to reach the server's database")
}

/// The tables of the schema `read`.
///
/// # Errors
/// What the database said, or that there are none.
pub async fn read_tables(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'read' order by 1",
    )
    .fetch_all(pool)
    .await?;
    ensure!(!tables.is_empty(), "there are no read tables");
    Ok(tables)
}

/// What the read tables hold.
///
/// # Errors
/// What the database said.
pub async fn read_rows(pool: &PgPool) -> anyhow::Result<Rows> {
    let mut all = Rows::new();
    for table in read_tables(pool).await? {
        let select = format!("select row_to_json(t)::text from read.{table} as t");
        let mut rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(pool).await?;
        rows.sort();
        all.insert(table, rows);
    }
    Ok(all)
}

/// Empties every read table.
///
/// # Errors
/// What the database said.
pub async fn truncate_read_tables(pool: &PgPool) -> anyhow::Result<()> {
    for table in read_tables(pool).await? {
        sqlx::query(AssertSqlSafe(format!("truncate read.{table}"))).execute(pool).await?;
    }
    Ok(())
}

/// Refuses two dumps that differ, naming the first row of each side that the other lacks.
///
/// # Errors
/// They differ.
pub fn ensure_same(before: &Rows, after: &Rows) -> anyhow::Result<()> {
    ensure!(
        before.keys().eq(after.keys()),
        "other tables: {:?} and {:?}",
        before.keys(),
        after.keys()
    );
    for (table, rows) in before {
        let other = &after[table];
        let gone = rows.iter().find(|row| !other.contains(row));
        let new = other.iter().find(|row| !rows.contains(row));
        ensure!(
            rows == other,
            "read.{table} differs ({} rows, then {})\n  before: {gone:?}\n  after:  {new:?}",
            rows.len(),
            other.len()
        );
    }
    Ok(())
}
