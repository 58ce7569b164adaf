//! Removing from the database's own files what was deleted from its tables: rows that are dead, samples of values
//! that the planner keeps, and the write-ahead log.
//!
//! What is unlinked is gone from the folder. What a disk still holds under it is not in anybody's hands here.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::Instant;

/// How long transactions are waited for that began before; what they may still see is not removed.
const OLDER_WAIT_MAX: Duration = Duration::from_secs(120);
/// How often that is looked at.
const OLDER_POLL: Duration = Duration::from_millis(50);
/// Segments of the write-ahead log that are gone through at most: four gigabytes.
const SEGMENTS_MAX: usize = 256;

/// Tables that hold, or held, what is of people. What is sealed is not among them: it has lost its key.
const TABLES: &str = "
    select format('%I.%I', schemaname, tablename)
    from pg_tables
    where schemaname in ('read', 'read_next', 'read_prev', 'work')
        or schemaname = 'log' and tablename in ('attachments', 'subject_keys')
    order by 1";
const SAMPLES: [&str; 2] = ["pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data"];
const SEGMENTS: &str = "
    select
        count(*) filter (where name > pg_walfile_name(pg_current_wal_insert_lsn())),
        count(*) filter (where name <= $1)
    from pg_ls_waldir()
    where name ~ '^[0-9A-F]{24}$'";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scrubbed {
    /// Tables that were written anew.
    pub(super) tables: usize,
    /// Whether the planner's samples and the write-ahead log were, too: only a superuser may.
    pub(super) is_whole: bool,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrubError {
    /// Somebody works since before.
    #[error("a transaction is open since before; what it may still see is not removed")]
    Older,
    /// The write-ahead log grows faster than it is removed.
    #[error("the write-ahead log still has segments of before")]
    Segments,
    /// The database could not do it.
    #[error("the database could not do it")]
    Database(#[from] sqlx::Error),
}

/// Writes the tables anew, as the superuser or else as the owner.
pub(super) async fn scrub(url: &str, is_superuser: bool) -> Result<Scrubbed, ScrubError> {
    let mut connection = PgConnection::connect(url).await?;
    let done = scrub_with(&mut connection, is_superuser).await;
    connection.close().await.ok();
    done
}

async fn scrub_with(
    connection: &mut PgConnection,
    is_superuser: bool,
) -> Result<Scrubbed, ScrubError> {
    run(connection, "set lock_timeout = '60s'").await?;
    wait_for_older(connection).await?;
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *connection).await?;
    for table in &tables {
        run(connection, &format!("vacuum (full, analyze) {table}")).await?;
    }
    if is_superuser {
        // Measuring anew left the former samples as dead rows.
        wait_for_older(connection).await?;
        for table in SAMPLES {
            run(connection, &format!("vacuum full {table}")).await?;
        }
        // Segments that are over are removed instead of being used again.
        run(connection, "alter system set wal_recycle = off").await?;
        run(connection, "select pg_reload_conf()").await?;
        let emptied = empty_log(connection).await;
        run(connection, "alter system reset wal_recycle").await?;
        run(connection, "select pg_reload_conf()").await?;
        emptied?;
    }
    Ok(Scrubbed { tables: tables.len(), is_whole: is_superuser })
}

/// Goes on to a segment that was begun after all of this, and removes those before it; segments that wait to be used
/// again hold what they held, so each is used, which fills it with zeros.
async fn empty_log(connection: &mut PgConnection) -> Result<(), ScrubError> {
    let last: String = sqlx::query_scalar("select pg_walfile_name(pg_current_wal_insert_lsn())")
        .fetch_one(&mut *connection)
        .await?;
    for _ in 0..SEGMENTS_MAX {
        run(connection, "select pg_logical_emit_message(false, 'calotype', 'scrub')").await?;
        run(connection, "select pg_switch_wal()").await?;
        let (waiting, _) = segments(connection, &last).await?;
        if waiting > 0 {
            continue;
        }
        run(connection, "checkpoint").await?;
        if segments(connection, &last).await? == (0, 0) {
            return Ok(());
        }
    }
    Err(ScrubError::Segments)
}

/// Segments that wait to be used, and those that are not after the given one.
async fn segments(connection: &mut PgConnection, last: &str) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as(SEGMENTS).bind(last).fetch_one(connection).await
}

/// Waits until nobody works who began before this moment.
async fn wait_for_older(connection: &mut PgConnection) -> Result<(), ScrubError> {
    let now: String =
        sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *connection).await?;
    let deadline = Instant::now() + OLDER_WAIT_MAX;
    loop {
        let is_past: bool = sqlx::query_scalar(
            "select pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8
                    and not exists (
                        select from pg_stat_activity
                         where pid <> pg_backend_pid() and datname = current_database()
                           and backend_xmin is not null
                           and age(backend_xmin) >= age($1::text::xid8::xid))",
        )
        .bind(&now)
        .fetch_one(&mut *connection)
        .await?;
        if is_past {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(ScrubError::Older);
        }
        tokio::time::sleep(OLDER_POLL).await;
    }
}

async fn run(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    // Of constants and of names that the database quoted.
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.map(drop)
}
