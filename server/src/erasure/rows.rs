//! Which rows are of somebody or something: counted before and after, and removed where no read model does.

use std::collections::BTreeMap;

use calotype_domain::hold::Held;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

/// Columns that say whose a row is, or of what.
const OF_USER: [&str; 2] = ["owner_id", "user_id"];
const OF_ASSET: [&str; 1] = ["asset_id"];

/// What is known of it before it goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Of {
    /// Its assets.
    pub(super) assets: Vec<Uuid>,
    /// The length of their originals, in bytes.
    pub(super) original_bytes: i64,
    /// Its logins.
    pub(super) sessions: Vec<Uuid>,
}

/// What is known of it.
pub(super) async fn gather(pool: &PgPool, erased: Held) -> Result<Of, sqlx::Error> {
    let column = match erased {
        Held::Asset(_) => "asset_id",
        Held::User(_) => "owner_id",
    };
    let statement = format!("select asset_id, size_bytes from read.assets_v1 where {column} = $1");
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as(AssertSqlSafe(statement)).bind(erased.id()).fetch_all(pool).await?;
    let sessions = match erased {
        Held::Asset(_) => Vec::new(),
        Held::User(user_id) => {
            sqlx::query_scalar("select session_id from read.sessions_v2 where user_id = $1")
                .bind(user_id.uuid())
                .fetch_all(pool)
                .await?
        }
    };
    let original_bytes = rows.iter().map(|(_, bytes)| bytes).sum();
    Ok(Of { assets: rows.into_iter().map(|(id, _)| id).collect(), original_bytes, sessions })
}

/// How many rows of which table are of it; tables without any are left out.
pub(super) async fn count(
    pool: &PgPool,
    erased: Held,
) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let columns: &[&str] = match erased {
        Held::Asset(_) => &OF_ASSET,
        Held::User(_) => &OF_USER,
    };
    let found: Vec<(String, String)> = sqlx::query_as(
        "select format('%I.%I', c.table_schema, c.table_name), c.column_name::text
           from information_schema.columns c
           join pg_tables t on t.schemaname = c.table_schema and t.tablename = c.table_name
          where c.table_schema in ('read', 'read_next', 'read_prev') and c.column_name = any($1)
            and c.data_type = 'uuid'",
    )
    .bind(columns)
    .fetch_all(pool)
    .await?;
    let mut counts = BTreeMap::new();
    for (table, column) in found {
        let statement = format!("select count(*) from {table} where {column} = $1");
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(statement)).bind(erased.id()).fetch_one(pool).await?;
        if count > 0 {
            *counts.entry(table).or_default() += count;
        }
    }
    Ok(counts)
}

/// Removes what stands in tables of work, which no event empties.
pub(super) async fn remove_work(pool: &PgPool, erased: Held, of: &Of) -> Result<u64, sqlx::Error> {
    let of_asset = |id: &Uuid| ["asset", "asset_trial", "faces"].map(|kind| format!("{kind}-{id}"));
    let mut streams: Vec<String> = of.assets.iter().flat_map(of_asset).collect();
    let owners: Vec<Uuid> = match erased {
        Held::User(user_id) => vec![user_id.uuid()],
        Held::Asset(_) => Vec::new(),
    };
    streams.push(format!("{}-{}", erased.kind(), erased.id()));
    let mut removed = 0;
    let by_stream = "delete from work.parked where stream_id = any($1)";
    removed += sqlx::query(by_stream).bind(&streams).execute(pool).await?.rows_affected();
    for (statement, ids) in [
        ("delete from work.integrity_findings where asset_id = any($1)", &of.assets),
        ("delete from work.original_wishes where asset_id = any($1)", &of.assets),
        ("delete from work.original_places where asset_id = any($1)", &of.assets),
        ("delete from work.model_failures where asset_id = any($1)", &of.assets),
        ("delete from work.model_proposals where asset_id = any($1)", &of.assets),
        ("delete from work.model_people where owner_id = any($1)", &owners),
        ("delete from work.uploads where owner_id = any($1)", &owners),
        ("delete from work.batch_files where owner_id = any($1)", &owners),
        ("delete from work.sync_acks where session_id = any($1)", &of.sessions),
        ("delete from work.session_uses where session_id = any($1)", &of.sessions),
    ] {
        removed += sqlx::query(statement).bind(ids).execute(pool).await?.rows_affected();
    }
    Ok(removed)
}
