//! Loads copies of the log into a database whose log is empty, within the caller's transaction: it is there whole
//! or not at all.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::attachment::Attachment;
use super::copy::copy_in;
use super::read::unwrap;
use crate::backup::{Frame, Table};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::SubjectKey;

/// Attachments are written by so many, or so many bytes.
const ATTACHMENTS_AT_ONCE: usize = 256;
const ATTACHMENT_BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

const INSERT_ATTACHMENTS: &str = "
    insert into log.attachments (event_id, name, subject, bytes)
    select t.event_id, t.name, t.subject, t.bytes
    from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) t (event_id, name, subject, bytes)
    where exists (select from log.positions p where p.event_id = t.event_id)
    on conflict do nothing";

/// What came of the attachments of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Written.
    pub attachments: u64,
    /// Left out, because their subject's key is gone.
    pub forgotten: u64,
}

pub(super) fn event_columns() -> [&'static str; 14] {
    [
        "event_id",
        "stream_id",
        "revision",
        "type",
        "version",
        "payload",
        "subject",
        "actor_kind",
        "actor_id",
        "actor_user_id",
        "client",
        "correlation_id",
        "causation_id",
        "recorded_at",
    ]
}

pub(super) fn events_table() -> Table {
    Table::new("log.events", &event_columns())
}

pub(super) fn positions_table() -> Table {
    Table::new("log.positions", &["position", "event_id"])
}

/// Whether a database has no log yet.
///
/// # Errors
/// The database refuses.
pub async fn is_empty(pool: &PgPool) -> Result<bool, StoreError> {
    sqlx::query_scalar(
        "select (select position from log.head) = 0
            and not exists (select from log.events)
            and not exists (select from log.outbox)
            and not exists (select from log.subject_keys)",
    )
    .fetch_one(pool)
    .await
    .map_err(StoreError::database("look whether the log is empty"))
}

/// Makes sure that the master key opens the keys of subjects that were loaded.
///
/// # Errors
/// [`StoreError::WrongMasterKey`], or the database refuses.
pub async fn require_opens(db: &mut PgConnection, keyring: &Keyring) -> Result<(), StoreError> {
    let any: Option<(String, Vec<u8>)> = sqlx::query_as(
        "select subject, wrapped from log.subject_keys where wrapped is not null limit 1",
    )
    .fetch_optional(db)
    .await
    .map_err(StoreError::database("read a subject key"))?;
    any.map_or(Ok(()), |(subject, wrapped)| unwrap(keyring, &subject, &wrapped).map(drop))
}

/// Loads what [`super::read_log`] sent; of the last piece only what stands up to `until`, where that is said. The
/// keys of subjects were loaded before: attachments whose subject has none are left out.
///
/// # Errors
/// The database refuses, the frames are of another making, or an attachment does not open.
pub async fn write_log(
    db: &mut PgConnection,
    keyring: &Keyring,
    until: Option<i64>,
    frames: &mut mpsc::Receiver<Frame>,
) -> Result<Loaded, StoreError> {
    let mut loaded = Loaded::default();
    let mut gathered = Gathered::default();
    let mut next = frames.recv().await;
    while let Some(frame) = next.take() {
        next = match frame {
            Frame::Table(table) if table == positions_table() || table == events_table() => {
                load(db, &table, until, frames).await?
            }
            Frame::Attachment(bytes) => {
                let attachment = Attachment::parse(&bytes).ok_or_else(|| torn("an attachment"))?;
                gathered.bytes += attachment.sealed.len();
                gathered.attachments.push(attachment);
                if gathered.is_full() {
                    gathered.write(db, keyring, &mut loaded).await?;
                }
                frames.recv().await
            }
            Frame::Table(table) => return Err(torn(&format!("the table {}", table.name))),
            Frame::Rows(_) => return Err(torn("rows without a table")),
        };
    }
    gathered.write(db, keyring, &mut loaded).await?;
    Ok(loaded)
}

/// Says how far the log goes, and which one it is.
///
/// # Errors
/// The database refuses.
pub async fn finish_load(
    db: &mut PgConnection,
    position: i64,
    log_id: Uuid,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("finish the log");
    sqlx::query("update log.head set position = $1")
        .bind(position)
        .execute(&mut *db)
        .await
        .map_err(failed())?;
    sqlx::query("update proof.tree set log_id = $1")
        .bind(log_id)
        .execute(db)
        .await
        .map_err(failed())?;
    Ok(())
}

async fn load(
    db: &mut PgConnection,
    table: &Table,
    until: Option<i64>,
    frames: &mut mpsc::Receiver<Frame>,
) -> Result<Option<Frame>, StoreError> {
    let Some(until) = until else {
        return copy_in(db, &table.name, &table.columns, frames).await;
    };
    let failed = || StoreError::database("load a part of a piece of the log");
    let make = format!("create temporary table incoming (like {})", table.name);
    sqlx::query(AssertSqlSafe(make)).execute(&mut *db).await.map_err(failed())?;
    let next = copy_in(db, "incoming", &table.columns, frames).await?;
    let condition = if *table == positions_table() {
        format!("incoming.position <= {until}")
    } else {
        "exists (select from log.positions p where p.event_id = incoming.event_id)".to_owned()
    };
    let columns = table.columns.join(", ");
    let keep = format!(
        "insert into {} ({columns}) select {columns} from incoming where {condition}",
        table.name
    );
    sqlx::query(AssertSqlSafe(keep)).execute(&mut *db).await.map_err(failed())?;
    sqlx::query("drop table incoming").execute(&mut *db).await.map_err(failed())?;
    Ok(next)
}

/// Attachments that wait to be written.
#[derive(Default)]
struct Gathered {
    attachments: Vec<Attachment>,
    bytes: usize,
}

impl Gathered {
    fn is_full(&self) -> bool {
        self.attachments.len() >= ATTACHMENTS_AT_ONCE || self.bytes >= ATTACHMENT_BYTES_AT_ONCE
    }

    async fn write(
        &mut self,
        db: &mut PgConnection,
        keyring: &Keyring,
        loaded: &mut Loaded,
    ) -> Result<(), StoreError> {
        let attachments = std::mem::take(self).attachments;
        if attachments.is_empty() {
            return Ok(());
        }
        let keys = keys(db, keyring, &attachments).await?;
        let (mut event_ids, mut names) = (Vec::new(), Vec::new());
        let (mut subjects, mut bytes) = (Vec::new(), Vec::new());
        for attachment in attachments {
            let Some(key) = keys.get(&attachment.subject) else {
                loaded.forgotten += 1;
                continue;
            };
            bytes.push(attachment.open(key)?);
            event_ids.push(attachment.event_id);
            names.push(attachment.name);
            subjects.push(attachment.subject);
        }
        let written = sqlx::query(INSERT_ATTACHMENTS)
            .bind(event_ids)
            .bind(names)
            .bind(subjects)
            .bind(bytes)
            .execute(db)
            .await
            .map_err(StoreError::database("write attachments"))?;
        loaded.attachments += written.rows_affected();
        Ok(())
    }
}

/// The keys of the subjects of some attachments, as far as they have one.
async fn keys(
    db: &mut PgConnection,
    keyring: &Keyring,
    attachments: &[Attachment],
) -> Result<HashMap<String, SubjectKey>, StoreError> {
    let subjects: Vec<&str> = attachments.iter().map(|it| it.subject.as_str()).collect();
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "select subject, wrapped from log.subject_keys
         where subject = any($1::text[]) and wrapped is not null",
    )
    .bind(subjects)
    .fetch_all(db)
    .await
    .map_err(StoreError::database("read the keys of attachments"))?;
    let unwrapped = rows.into_iter().map(|(subject, wrapped)| {
        let key = unwrap(keyring, &subject, &wrapped)?;
        Ok((subject, key))
    });
    unwrapped.collect()
}

fn torn(what: &str) -> StoreError {
    let reason = format!("it holds {what}, which this version does not know");
    StoreError::database("understand a piece of the log")(sqlx::Error::Protocol(reason))
}
