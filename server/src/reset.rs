//! The reset for black-box suites: empties a server that was started with `--testing`, without a restart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use calotype_api::caller::Callers;
use calotype_api::state::ResetError;
use calotype_api::{Caches, Reset};
use calotype_eventstore::EventStore as _;
use calotype_media::blob::BlobStore;
use calotype_processors::Gate;
use calotype_projections::{Progress, projection};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::Notify;

use crate::embedded::DataFolder;
use crate::wiring::Core;

/// How long work in hand may take to end.
const WORK_ENDS_MAX: Duration = Duration::from_secs(30);
/// How long the read side may take to stand at the head again.
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// How often that is looked at.
const SETTLE_POLL: Duration = Duration::from_millis(10);

/// Immich's names for what can be reset, and the aggregates behind them. What does not exist yet has none.
const AGGREGATES: [(&str, &[&str]); 15] = [
    ("user", &["user", "admin_view", "hold", "erasure"]),
    ("session", &["session"]),
    ("api_key", &["api_key"]),
    ("asset", &["asset", "asset_trial", "batch", "faces", "stack"]),
    ("album", &["album"]),
    ("tag", &["tag"]),
    ("stack", &["stack"]),
    ("activity", &["activity"]),
    ("person", &["person", "faces"]),
    ("library", &["library"]),
    ("shared_link", &["shared_link", "link_view"]),
    ("memory", &["memory"]),
    ("partner", &["partner"]),
    ("notification", &["notification"]),
    ("config", &["config", "model_trial", "queue"]),
];

/// Makes sure that somebody else's database may be emptied: it is new, and is marked now, or was marked then.
///
/// # Errors
/// It holds a log that was not begun with `--testing`, or what the database said.
pub async fn check_database(owner_url: &str) -> anyhow::Result<()> {
    let mut owner =
        PgConnection::connect(owner_url).await.context("failed to reach the database")?;
    sqlx::query(
        "insert into work.testing select where (select position from log.head) = 0
            and not exists (select from work.testing)",
    )
    .execute(&mut owner)
    .await?;
    let is_marked: bool = sqlx::query_scalar("select exists (select from work.testing)")
        .fetch_one(&mut owner)
        .await?;
    owner.close().await.ok();
    anyhow::ensure!(
        is_marked,
        "this database was not begun with --testing, so it cannot be opened with it"
    );
    Ok(())
}

/// Empties the server.
pub struct TestingReset {
    /// The database, as its owner.
    pub owner_url: String,
    /// The rooms.
    pub core: Core,
    /// Where the files are.
    pub folder: Arc<DataFolder>,
    /// The same in a bucket, where they lie there.
    pub blobs: BlobStore,
    /// The queue.
    pub jetstream: Option<async_nats::jetstream::Context>,
    /// Where the work of this process's processors goes in and out.
    pub gate: Gate,
    /// How far the read side is.
    pub progress: Progress,
    /// Makes the projections look at their checkpoints anew.
    pub reload: Arc<Notify>,
    /// Remembered callers.
    pub callers: Callers,
    /// Remembered answers.
    pub caches: Caches,
}

#[async_trait]
impl Reset for TestingReset {
    async fn reset(&self, only: Option<&[String]>) -> Result<(), ResetError> {
        let aggregates = match only {
            None => None,
            Some(names) => Some(aggregates(names)?),
        };
        // What is worked on now would write into the new world.
        let closed = self.gate.close(WORK_ENDS_MAX).await?;
        let pool = PgPoolOptions::new().max_connections(1).connect(&self.owner_url).await?;
        let mut tx = pool.begin().await?;
        forget_in_tx(&mut tx, aggregates.as_deref()).await?;
        tx.commit().await?;
        pool.close().await;
        remove_heads(self.folder.root())?;
        let assets_gone =
            aggregates.as_ref().is_none_or(|names| names.iter().any(|name| name == "asset"));
        if assets_gone {
            let root = self.folder.root().to_owned();
            tokio::task::spawn_blocking(move || remove_files(&root)).await??;
            self.blobs.empty_bucket().await?;
        }
        if aggregates.is_none()
            && let Some(jetstream) = &self.jetstream
            && let Ok(stream) = jetstream.get_stream("CALOTYPE_EVENTS").await
        {
            stream.purge().await?;
        }
        self.core.store.drop_caches();
        drop(closed);
        self.reload.notify_one();
        let settled = self.settle().await;
        // Last, because requests that came meanwhile may have remembered what was half replayed.
        self.callers.forget_all();
        self.caches.forget_all();
        self.core.queries.forget_all();
        settled
    }
}

impl TestingReset {
    /// Waits until the read side has replayed what is left.
    async fn settle(&self) -> Result<(), ResetError> {
        let deadline = tokio::time::Instant::now() + SETTLE_MAX;
        loop {
            let head = self.core.store.head().await?;
            // What the runner told last may be from before its checkpoints were put back.
            let behind: bool = sqlx::query_scalar(
                "select exists (
                     select from work.checkpoints where name <> 'relay' and position < $1)",
            )
            .bind(head.get())
            .fetch_one(&self.core.pool)
            .await?;
            let waiting: i64 = sqlx::query_scalar("select count(*) from log.outbox")
                .fetch_one(&self.core.pool)
                .await?;
            if waiting == 0 && !behind && self.progress.applied() >= head {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err("the read side did not settle in time".into());
            }
            tokio::time::sleep(SETTLE_POLL).await;
        }
    }
}

fn aggregates(names: &[String]) -> Result<Vec<String>, ResetError> {
    let mut all = Vec::new();
    for name in names {
        let (_, found) = AGGREGATES
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| format!("there is no aggregate named {name}"))?;
        all.extend(found.iter().map(|aggregate| (*aggregate).to_owned()));
    }
    Ok(all)
}

/// Removes events, reservations, keys and rows. Positions go on from where they were, so that nobody
/// who remembers one is fooled.
async fn forget_in_tx(
    tx: &mut PgConnection,
    aggregates: Option<&[String]>,
) -> Result<(), ResetError> {
    // Processors of another process may hold rows and wait for the log.
    sqlx::query("set local lock_timeout = '10s'").execute(&mut *tx).await?;
    // First, because whoever extends the tree holds it and then reads the log.
    sqlx::query("lock table proof.tree in exclusive mode").execute(&mut *tx).await?;
    sqlx::query("lock table log.events, log.outbox, log.positions in access exclusive mode")
        .execute(&mut *tx)
        .await?;
    sqlx::query("alter table log.events disable trigger user").execute(&mut *tx).await?;
    sqlx::query(
        "create temporary table gone on commit drop as
         select event_id, stream_id
           from log.events
          where $1::text[] is null or split_part(stream_id, '-', 1) = any($1)
             -- What follows on assets from what goes.
             or 'stack' = any($1) and type in ('AssetStacked', 'AssetUnstacked')
             or 'tag' = any($1) and type in ('AssetTagged', 'AssetUntagged')",
    )
    .bind(aggregates)
    .execute(&mut *tx)
    .await?;
    // What these streams held for themselves: e-mails, digests of files.
    sqlx::query(
        "insert into gone
         select held.event_id, held.stream_id
           from log.events as held
          where held.stream_id like 'reservation-%'
            and not exists (select from gone where gone.event_id = held.event_id)
            and held.payload ->> 'holder_id' in (
                select split_part(stream_id, '-', 2) || '-' || split_part(stream_id, '-', 3) || '-'
                    || split_part(stream_id, '-', 4) || '-' || split_part(stream_id, '-', 5) || '-'
                    || split_part(stream_id, '-', 6)
                  from gone)",
    )
    .execute(&mut *tx)
    .await?;
    for statement in [
        "delete from log.attachments where event_id in (select event_id from gone)",
        "update log.outbox
            set event_ids = array(select event_id
                                    from unnest(event_ids) with ordinality as kept (event_id, place)
                                   where event_id not in (select event_id from gone)
                                   order by place)",
        "delete from log.outbox where cardinality(event_ids) = 0",
        "delete from log.positions where event_id in (select event_id from gone)",
        "delete from log.subject_keys where subject in (select stream_id from gone)",
        "delete from log.events where event_id in (select event_id from gone)",
        // Another log begins: positions without events are gaps in it.
        "update proof.tree
            set log_id = gen_random_uuid(), size = 0, rebuilt_at = null, rebuilt_size = null",
        "truncate proof.tiles, proof.heads, proof.keys",
        "delete from work.parked",
        "delete from work.errands",
        "delete from work.reruns",
        "truncate work.model_trials, work.model_failures, work.model_proposals, work.model_people, work.model_follows,
         work.face_proposals",
        "delete from work.original_wishes",
        "delete from work.original_places where 'asset-' || asset_id in (select stream_id from gone)",
        "delete from work.sync_acks",
        "delete from work.session_uses",
        "delete from work.notification_reads",
        "delete from work.integrity_findings",
        "delete from work.integrity_progress",
        "truncate work.uploads, work.batch_files",
        "delete from work.rebuilds",
        "update work.checkpoints set position = 0 where name <> 'relay'",
    ] {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    for projection in projection::all() {
        for table in projection.tables() {
            for statement in [
                format!("truncate read.{table}"),
                format!("drop table if exists read_next.{table}, read_prev.{table}"),
            ] {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
            }
        }
    }
    sqlx::query(
        "update work.checkpoints
            set position = (select position from log.head)
          where not exists (select from log.positions)",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query("alter table log.events enable trigger user").execute(&mut *tx).await?;
    Ok(())
}

/// Heads of the log that was.
fn remove_heads(root: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(root.join("proof").join("heads")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_files(root: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(root.join("tmp").join("uploads")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for folder in ["library", "derived"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                std::fs::remove_dir_all(path)?;
            }
        }
    }
    Ok(())
}
