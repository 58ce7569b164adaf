//! Keys that follow one another in signing heads: which one signs now, and how the next takes its place.

use chrono::{DateTime, Utc};
use sqlx::Connection as _;
use sqlx::PgPool;
use sqlx::postgres::{PgConnection, PgExecutor};

use super::extend;
use super::tiles::{signed, unsigned};
use crate::error::StoreError;
use crate::proof::{ProofError, ProofKey, PublicKey, Rotation};

/// Most keys that may follow one another: each proof names them all.
const ROTATIONS_MAX: i64 = 1_000;

/// The last key that followed another, else the one that signed the last head.
const SELECT_CURRENT: &str = "
    select coalesce(
        (
            select k.next_key
            from proof.keys k
            where k.log_id = t.log_id
                and not exists (
                    select from proof.keys later
                    where later.log_id = k.log_id and later.former_key = k.next_key)
            limit 1
        ),
        (
            select h.public_key
            from proof.heads h
            where h.log_id = t.log_id
            order by h.size desc
            limit 1
        ))
    from proof.tree t";

const SELECT_ALL: &str = "
    select note
    from proof.keys
    where log_id = (select log_id from proof.tree)
    order by size, rotated_at
    limit $1";

const SELECT_UNTOLD: &str = "
    select note
    from proof.keys
    where not is_told
    order by rotated_at
    limit 100";

const WRITE_TOLD: &str = "update proof.keys set is_told = true where note = $1";

const INSERT: &str = "
    insert into proof.keys (log_id, former_key, next_key, size, note, rotated_at, rotated_by)
    values ($1, $2, $3, $4, $5, $6, $7)";

/// The key that signs now; none where nothing was signed.
pub(super) async fn current(db: impl PgExecutor<'_>) -> Result<Option<PublicKey>, StoreError> {
    let bytes: Option<Option<Vec<u8>>> = sqlx::query_scalar(SELECT_CURRENT)
        .fetch_optional(db)
        .await
        .map_err(StoreError::database("look for the key that signs"))?;
    Ok(bytes.flatten().and_then(|bytes| PublicKey::from_bytes(&bytes)))
}

/// Every key that followed another, oldest first, as text.
pub(super) async fn texts(pool: &PgPool) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar(SELECT_ALL)
        .bind(ROTATIONS_MAX)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read the keys that followed others"))
}

/// Those that are not in the file of heads yet.
pub(super) async fn untold(pool: &PgPool) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar(SELECT_UNTOLD)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("look for keys to be told"))
}

/// Remembers that one is in the file.
pub(super) async fn set_told(pool: &PgPool, note: &str) -> Result<(), StoreError> {
    let written = sqlx::query(WRITE_TOLD).bind(note).execute(pool).await;
    written.map(drop).map_err(StoreError::database("remember a key that was told"))
}

/// Has `next` follow `former`, from the last head on.
pub(super) async fn rotate(
    connection: &mut PgConnection,
    former: &ProofKey,
    next: &ProofKey,
    by: &str,
) -> Result<Rotation, ProofError> {
    let failed = || StoreError::database("have a key follow another");
    let mut tx = connection.begin().await.map_err(failed())?;
    let tree = extend::lock_in_tx(&mut tx).await?;
    if current(&mut *tx).await?.is_some_and(|current| current != *former.public()) {
        return Err(ProofError::OtherKey);
    }
    let (count, size, rotated_at): (i64, i64, DateTime<Utc>) = sqlx::query_as(
        "select
             (select count(*) from proof.keys where log_id = $1),
             (select coalesce(max(size), 0) from proof.heads where log_id = $1),
             clock_timestamp()",
    )
    .bind(tree.log_id)
    .fetch_one(&mut *tx)
    .await
    .map_err(failed())?;
    if count >= ROTATIONS_MAX {
        return Err(ProofError::TooManyKeys { count: usize::try_from(count).unwrap_or_default() });
    }
    let rotation = Rotation::sign((tree.log_id, unsigned(size)), rotated_at, former, next);
    sqlx::query(INSERT)
        .bind(tree.log_id)
        .bind(&former.public().as_bytes()[..])
        .bind(&next.public().as_bytes()[..])
        .bind(signed(rotation.size))
        .bind(&rotation.text)
        .bind(rotated_at)
        .bind(by)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    // Durable before the former key goes.
    sqlx::query("set local synchronous_commit = on").execute(&mut *tx).await.map_err(failed())?;
    tx.commit().await.map_err(failed())?;
    Ok(rotation)
}
