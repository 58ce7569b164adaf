//! Signs heads, and tells of them outside of the database: a line of the log, and a file to be copied away.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::Connection as _;
use sqlx::PgPool;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::tiles::{self, signed, unsigned};
use super::{extend, keys};
use crate::error::StoreError;
use crate::proof::{Hash, Head, Note, ProofError, ProofKey, SignedHead};

/// Most heads of one answer.
pub(super) const HEADS_MAX: i64 = 1_000;

const SELECT_LAST: &str = "
    select size, root, note
    from proof.heads
    where log_id = $1
    order by size desc
    limit 1";

const INSERT: &str = "
    insert into proof.heads (log_id, size, root, note, public_key, signed_at)
    values ($1, $2, $3, $4, $5, $6)";

const SELECT_NEWEST: &str = "
    select note
    from proof.heads
    where log_id = (select log_id from proof.tree) and size >= $1
    order by size desc
    limit $2";

const SELECT_ONE: &str = "
    select note
    from proof.heads
    where log_id = (select log_id from proof.tree) and size = $1";

const SELECT_UNTOLD: &str = "
    select log_id, size, note
    from proof.heads
    where not is_told
    order by signed_at, size
    limit 100";

const WRITE_TOLD: &str = "update proof.heads set is_told = true where log_id = $1 and size = $2";

/// Signs the tree as it is; what was signed last is checked to be its beginning.
///
/// Nothing where the log is empty.
pub(super) async fn sign(
    connection: &mut PgConnection,
    key: &ProofKey,
) -> Result<Option<SignedHead>, ProofError> {
    let failed = || StoreError::database("sign the tree");
    let mut tx = connection.begin().await.map_err(failed())?;
    let tree = extend::lock_in_tx(&mut tx).await?;
    if keys::current(&mut *tx).await?.is_some_and(|current| current != *key.public()) {
        return Err(ProofError::OtherKey);
    }
    if let Some((size, root, note)) = last(&mut tx, tree.log_id).await? {
        if size > tree.size {
            return Err(ProofError::NotWhatWasSigned { size });
        }
        if tiles::root(&mut *tx, size).await?[..] != root[..] {
            return Err(ProofError::NotWhatWasSigned { size });
        }
        if size == tree.size {
            let note = parse(&note)?;
            return Ok(Some(SignedHead { note, is_new: false }));
        }
    }
    if tree.size == 0 {
        return Ok(None);
    }
    let root: Hash = tiles::root(&mut *tx, tree.size).await?;
    let signed_at: DateTime<Utc> = sqlx::query_scalar("select clock_timestamp()")
        .fetch_one(&mut *tx)
        .await
        .map_err(failed())?;
    let note = Head { log_id: tree.log_id, size: tree.size, root, signed_at }.sign(key);
    sqlx::query(INSERT)
        .bind(tree.log_id)
        .bind(signed(tree.size))
        .bind(&root[..])
        .bind(&note.text)
        .bind(&key.public().as_bytes()[..])
        .bind(signed_at)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    // Durable before anybody is told.
    sqlx::query("set local synchronous_commit = on").execute(&mut *tx).await.map_err(failed())?;
    tx.commit().await.map_err(failed())?;
    Ok(Some(SignedHead { note, is_new: true }))
}

/// Size, root and text of the last head of a log.
type LastHead = (u64, Vec<u8>, String);

async fn last(db: &mut PgConnection, log_id: Uuid) -> Result<Option<LastHead>, StoreError> {
    let row: Option<(i64, Vec<u8>, String)> = sqlx::query_as(SELECT_LAST)
        .bind(log_id)
        .fetch_optional(db)
        .await
        .map_err(StoreError::database("read the last head"))?;
    Ok(row.map(|(size, root, note)| (unsigned(size), root, note)))
}

/// The last heads of a size or larger, newest first.
pub(super) async fn newest(
    pool: &PgPool,
    from_size: u64,
    max: i64,
) -> Result<Vec<Note>, StoreError> {
    let texts: Vec<String> = sqlx::query_scalar(SELECT_NEWEST)
        .bind(signed(from_size))
        .bind(max.min(HEADS_MAX))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read heads"))?;
    texts.iter().map(|text| parse(text)).collect()
}

/// The head of a size.
pub(super) async fn of_size(pool: &PgPool, size: u64) -> Result<Option<Note>, StoreError> {
    let text: Option<String> = sqlx::query_scalar(SELECT_ONE)
        .bind(signed(size))
        .fetch_optional(pool)
        .await
        .map_err(StoreError::database("read a head"))?;
    text.map(|text| parse(&text)).transpose()
}

/// Tells of heads and keys that are not in the file yet. One may be told twice after a kill.
pub(super) async fn tell(pool: &PgPool, file: &Path) -> Result<(), ProofError> {
    loop {
        let untold = keys::untold(pool).await?;
        if untold.is_empty() {
            break;
        }
        append_all(file, untold.iter()).await?;
        for note in untold {
            tracing::info!("another key signs the heads of the log from now on");
            keys::set_told(pool, &note).await?;
        }
    }
    tell_heads(pool, file).await
}

async fn tell_heads(pool: &PgPool, file: &Path) -> Result<(), ProofError> {
    let failed = || StoreError::database("tell of heads");
    loop {
        let untold: Vec<(Uuid, i64, String)> =
            sqlx::query_as(SELECT_UNTOLD).fetch_all(pool).await.map_err(failed())?;
        if untold.is_empty() {
            return Ok(());
        }
        append_all(file, untold.iter().map(|(_, _, note)| note)).await?;
        for (log_id, size, note) in untold {
            let root = Note::parse(&note).map(|it| hex(&it.head.root)).unwrap_or_default();
            tracing::info!(log.id = %log_id, size, root, "signed a head of the log");
            sqlx::query(WRITE_TOLD).bind(log_id).bind(size).execute(pool).await.map_err(failed())?;
        }
    }
}

async fn append_all(file: &Path, notes: impl Iterator<Item = &String>) -> Result<(), ProofError> {
    // A blank line before each: what a kill broke off must not swallow the next.
    let text: String = notes.map(|note| format!("\n\n{note}\n")).collect();
    let path = file.to_owned();
    let written = tokio::task::spawn_blocking(move || append(&path, &text)).await;
    written.map_err(io::Error::other).flatten().map_err(|source| ProofError::File {
        attempt: "append signed heads to",
        path: file.to_owned(),
        source,
    })
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

pub(super) fn parse(text: &str) -> Result<Note, StoreError> {
    Note::parse(text).ok_or_else(|| StoreError::Corrupt {
        table: "proof.heads",
        column: "note",
        row: text.lines().nth(1).unwrap_or_default().to_owned(),
        reason: "it is no signed head".to_owned(),
    })
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
