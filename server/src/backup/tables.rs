//! Tables of one moment: keys, and what of `work` is no print.

use anyhow::Context as _;
use calotype_eventstore::backup::{Table, copy_out};
use calotype_media::objects::Objects;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Digest;
use super::part::{Part, PartWriter};
use crate::operator::Live;

/// What a part of keys, and one of small tables, says that it is.
pub(crate) const KEYS: &str = "keys";
pub(crate) const WORK: &str = "work";
/// The keys of subjects.
pub(crate) const SUBJECT_KEYS: &str = "log.subject_keys";

/// Small truth, and which rows of it: what no read model and no other table would bring back. Left out are read
/// models, places of moves (read back from the read model), leases, findings of checks, and parked work.
const TABLES: [(&str, &str); 9] = [
    ("log.skipped", "true"),
    ("proof.heads", "log_id = (select log_id from proof.tree)"),
    ("proof.keys", "log_id = (select log_id from proof.tree)"),
    ("work.checkpoints", "name in ('errands', 'relay')"),
    ("work.errands", "true"),
    ("work.notification_reads", "true"),
    ("work.original_wishes", "true"),
    ("work.session_uses", "true"),
    ("work.sync_acks", "true"),
];

/// Whether a table is one of those that are kept.
pub(crate) fn is_kept(table: &str) -> bool {
    TABLES.iter().any(|(name, _)| *name == table)
}

/// The event at a position.
pub(super) async fn event_at(db: &mut PgConnection, position: i64) -> anyhow::Result<Option<Uuid>> {
    let found = sqlx::query_scalar("select event_id from log.positions where position = $1")
        .bind(position)
        .fetch_optional(db)
        .await;
    found.context("failed to read a position of the log")
}

pub(super) async fn copy_keys(
    moment: &mut PgConnection,
    id: &str,
    objects: &Objects,
) -> anyhow::Result<Part> {
    let writer = PartWriter::begin(objects, KEYS).await?;
    let table = table(moment, SUBJECT_KEYS).await?;
    let query = format!("select {} from {SUBJECT_KEYS}", table.columns.join(", "));
    let sent = copy_out(moment, table, &query, &writer.frames).await;
    writer.finish(sent, objects, |_| format!("{KEYS}/{id}.gz")).await
}

pub(super) async fn copy_work(
    moment: &mut PgConnection,
    id: &str,
    objects: &Objects,
) -> anyhow::Result<Part> {
    let writer = PartWriter::begin(objects, WORK).await?;
    let mut sent = Ok(());
    for (name, condition) in TABLES {
        let table = table(moment, name).await?;
        let query = format!("select {} from {name} where {condition}", table.columns.join(", "));
        sent = copy_out(moment, table, &query, &writer.frames).await;
        if sent.is_err() {
            break;
        }
    }
    writer.finish(sent, objects, |_| format!("{WORK}/{id}.gz")).await
}

/// A table with its columns as they are now.
pub(crate) async fn table(db: &mut PgConnection, name: &str) -> anyhow::Result<Table> {
    let columns: Vec<String> = sqlx::query_scalar(
        "select attname::text from pg_attribute
          where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
          order by attnum",
    )
    .bind(name)
    .fetch_all(db)
    .await
    .with_context(|| format!("failed to look at the table {name}"))?;
    Ok(Table { name: name.to_owned(), columns })
}

/// The files in `keys/` that a backup has where that is wished: the master key, the key that signs heads, and one
/// that is about to follow it.
pub(crate) const SECRETS: [&str; 3] = ["master.key", "proof.key", "proof.key.next"];

pub(super) async fn copy_secrets(live: &Live, id: &str, objects: &Objects) -> anyhow::Result<Part> {
    let mut secrets = serde_json::Map::new();
    for name in SECRETS {
        let path = live.keys().join(name);
        match tokio::fs::read_to_string(&path).await {
            Ok(text) => {
                secrets.insert(name.to_owned(), json!(text));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read {}", path.display()));
            }
        }
    }
    let bytes = serde_json::to_vec(&secrets)?;
    let name = format!("secrets/{id}.json");
    let (blake3, size_bytes) = (Digest::of(&bytes), u64::try_from(bytes.len())?);
    objects.put(&name, bytes.into()).await?;
    Ok(Part { name, blake3, size_bytes })
}
