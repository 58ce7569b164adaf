//! Reads the log for a backup.

use futures::TryStreamExt as _;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Postgres, Row as _, Transaction};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::attachment::Attachment;
use super::copy::{attachment, copy_out, send};
use super::write::{event_columns, events_table, positions_table};
use crate::backup::Frame;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::SubjectKey;

/// What destroyed keys sealed is left out: it waits to be deleted.
const SELECT_ATTACHMENTS: &str = "
    select a.event_id, a.name, a.subject, a.bytes, k.wrapped
    from log.positions p
    join log.attachments a on a.event_id = p.event_id
    join log.subject_keys k on k.subject = a.subject
    where p.position > $1 and p.position <= $2 and k.wrapped is not null
    order by p.position, a.name";

/// Which log it is, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogIs {
    /// Its name in signed heads.
    pub log_id: Uuid,
    /// The last position.
    pub position: i64,
}

/// Begins a transaction that sees one moment of the database, and changes nothing.
///
/// # Errors
/// The database refuses.
pub async fn begin_moment(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StoreError> {
    let failed = || StoreError::database("begin to read one moment");
    let mut tx = pool.begin().await.map_err(failed())?;
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    Ok(tx)
}

/// Which log it is.
///
/// # Errors
/// The database refuses.
pub async fn log_is(db: &mut PgConnection) -> Result<LogIs, StoreError> {
    let (log_id, position) =
        sqlx::query_as("select (select log_id from proof.tree), (select position from log.head)")
            .fetch_one(db)
            .await
            .map_err(StoreError::database("read the log's head"))?;
    Ok(LogIs { log_id, position })
}

/// Sends the log behind a position up to another: the order, the events as they are stored, and their attachments.
///
/// # Errors
/// The database refuses, a key does not open, or nobody takes frames any more.
pub async fn read_log(
    pool: &PgPool,
    keyring: &Keyring,
    (after, to): (i64, i64),
    frames: &mpsc::Sender<Frame>,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("read the log for a backup");
    let mut db = pool.acquire().await.map_err(failed())?;
    let range = format!("p.position > {after} and p.position <= {to} order by p.position");
    let query = format!("select p.position, p.event_id from log.positions p where {range}");
    copy_out(&mut db, positions_table(), &query, frames).await?;
    let columns = event_columns().map(|column| format!("e.{column}")).join(", ");
    let query = format!(
        "select {columns} from log.positions p join log.events e on e.event_id = p.event_id where {range}"
    );
    copy_out(&mut db, events_table(), &query, frames).await?;

    let mut rows = sqlx::query(SELECT_ATTACHMENTS).bind(after).bind(to).fetch(&mut *db);
    while let Some(row) = rows.try_next().await.map_err(failed())? {
        let event_id: Uuid = row.try_get(0).map_err(failed())?;
        let name: String = row.try_get(1).map_err(failed())?;
        let subject: String = row.try_get(2).map_err(failed())?;
        let bytes: &[u8] = row.try_get(3).map_err(failed())?;
        let wrapped: &[u8] = row.try_get(4).map_err(failed())?;
        let key = unwrap(keyring, &subject, wrapped)?;
        let sealed = Attachment::seal((event_id, name, subject), bytes, &key)?;
        send(frames, attachment(sealed.to_bytes()?)).await?;
    }
    Ok(())
}

pub(super) fn unwrap(
    keyring: &Keyring,
    subject: &str,
    wrapped: &[u8],
) -> Result<SubjectKey, StoreError> {
    SubjectKey::unwrap(keyring, subject, wrapped).map_err(|_| StoreError::WrongMasterKey)
}
