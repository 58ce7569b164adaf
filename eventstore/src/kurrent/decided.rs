//! Calls that need more than one write, because they go to several streams or are large.
//!
//! KurrentDB's client writes to one stream at a time, so the decision is stored first, with the revisions that the
//! writes go to, and then they are written. Whoever finds a decision that was not carried out carries it out:
//! the same events at the same revisions are no new ones to KurrentDB, so two may do it at once.

use std::sync::Arc;

use kurrentdb::Error;
use sqlx::PgPool;
use uuid::Uuid;

use super::client::{Connection, WriteFailure};
use super::look;
use super::record::Write;
use crate::error::StoreError;

/// How often writes are moved because somebody else wrote to a stream in between.
const MOVES_MAX: usize = 8;

const SELECT_WRITES: &str = "select writes::text from log.kurrent_calls where call_id = $1";

const LOCK_WRITES: &str =
    "select writes::text from log.kurrent_calls where call_id = $1 for update";

const UPDATE_WRITES: &str = "update log.kurrent_calls set writes = $2::json where call_id = $1";

const DELETE_CALL: &str = "delete from log.kurrent_calls where call_id = $1";

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its events stand where it was decided.
    AsDecided,
    /// They stand elsewhere, or somebody else carried it out.
    Otherwise,
}

/// Carries a decided call out. `writes` are those that were stored, where they are known.
///
/// Failing leaves the decision for the next one who finds it.
pub(super) async fn finish(
    kurrent: &Connection,
    pool: &PgPool,
    call_id: Uuid,
    writes: Option<Vec<Write>>,
) -> Result<Ending, StoreError> {
    let failed = || StoreError::database("finish an append");
    let mut known = writes;
    let mut ending = Ending::AsDecided;
    for _ in 0..MOVES_MAX {
        let writes = match known.take() {
            Some(writes) => writes,
            None => {
                let text: Option<String> = sqlx::query_scalar(SELECT_WRITES)
                    .bind(call_id)
                    .fetch_optional(pool)
                    .await
                    .map_err(failed())?;
                let Some(text) = text else { return Ok(Ending::Otherwise) };
                parse(call_id, &text)?
            }
        };
        match write_each(kurrent, &writes).await? {
            None => {
                sqlx::query(DELETE_CALL).bind(call_id).execute(pool).await.map_err(failed())?;
                return Ok(ending);
            }
            Some(broken) => {
                ending = Ending::Otherwise;
                move_on(kurrent, pool, call_id, &writes[broken]).await?;
            }
        }
    }
    Err(StoreError::kurrent("finish an append")(Error::IllegalStateError(
        "others write to the same streams again and again".to_owned(),
    )))
}

/// Writes in order; returns the index of the first write whose place is taken.
async fn write_each(kurrent: &Connection, writes: &[Write]) -> Result<Option<usize>, StoreError> {
    for (i, write) in writes.iter().enumerate() {
        match kurrent.append(write).await {
            Ok(()) => {}
            Err(WriteFailure::Conflict) => return Ok(Some(i)),
            Err(
                WriteFailure::Unacceptable(error)
                | WriteFailure::Refused(error)
                | WriteFailure::Lost(error),
            ) => return Err(StoreError::kurrent("write to KurrentDB")(error)),
        }
    }
    Ok(None)
}

/// Decides another place for a write, and those after it to the same stream: all of a call is written once a part
/// may be. Nobody but a stranger, or a writer whose connection and lock were lost, makes this necessary.
async fn move_on(
    kurrent: &Connection,
    pool: &PgPool,
    call_id: Uuid,
    broken: &Write,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("finish an append");
    let mut tx = pool.begin().await.map_err(failed())?;
    let text: Option<String> = sqlx::query_scalar(LOCK_WRITES)
        .bind(call_id)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed())?;
    let Some(text) = text else { return Ok(()) };
    let mut writes = parse(call_id, &text)?;
    let first_id = |write: &Write| write.events.first().map(|event| event.event_id);
    let same = writes.iter().position(|write| first_id(write) == first_id(broken));
    // Somebody else was here before.
    let Some(index) = same.filter(|index| writes[*index].after == broken.after) else {
        return Ok(());
    };
    let stream_id = broken.stream_id.as_str();
    let there = look::tail(kurrent, stream_id, broken.after).await?;
    let written = there.iter().find(|(event_id, _)| Some(*event_id) == first_id(broken));
    let after = match (written, there.last()) {
        (Some((_, revision)), _) => revision - 1,
        (None, Some((_, last))) => *last,
        (None, None) => {
            return Err(StoreError::Corrupt {
                table: "KurrentDB",
                column: "revision",
                row: format!("stream {stream_id}"),
                reason: format!("there is no revision {} any more", broken.after),
            });
        }
    };
    let shift = after - broken.after;
    for write in &mut writes[index..] {
        if write.stream_id == broken.stream_id {
            write.after += shift;
        }
    }
    let text = encode(&writes)?;
    sqlx::query(UPDATE_WRITES).bind(call_id).bind(text).execute(&mut *tx).await.map_err(failed())?;
    tx.commit().await.map_err(failed())?;
    tracing::error!(
        stream.id = stream_id,
        event.id = %call_id,
        moved_by = shift,
        "somebody else wrote to stream {stream_id} between an append's decision and its writes"
    );
    Ok(())
}

fn encode(writes: &[Write]) -> Result<String, StoreError> {
    serde_json::to_string(writes).map_err(|error| StoreError::Database {
        attempt: "put down an append",
        source: Arc::new(error),
    })
}

fn parse(call_id: Uuid, text: &str) -> Result<Vec<Write>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
        table: "log.kurrent_calls",
        column: "writes",
        row: call_id.to_string(),
        reason: error.to_string(),
    })
}
