//! `work.original_places`: whose the keys are.
//!
//! A key is one asset's from before its file is put there until after it was removed: `key` is unique among all
//! rows, and nobody takes a key that a `former_key` still says. Only then is it safe to remove by key. What counts
//! is how a key looks to file systems that tell the least apart.

use calotype_domain::asset::TEMPLATED_ROOT;
use calotype_domain::config::folded;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::ProcessorError;

/// Rows that are read back in one go.
const RESTORED_AT_ONCE: i64 = 1_000;
const COLUMNS: &str =
    "key, sidecar_key, former_key, former_sidecar_key, moved_at, has_put, has_put_sidecar";

/// Where the files of an asset lie, or are being moved to and from.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct PlaceRow {
    /// Where the original lies or is to lie.
    pub(super) key: String,
    /// Where its sidecar lies or is to lie.
    pub(super) sidecar_key: Option<String>,
    /// Where it lay before; nothing while nothing is moved.
    pub(super) former_key: Option<String>,
    /// Where its sidecar lay before.
    pub(super) former_sidecar_key: Option<String>,
    /// When the log was seen to say the new key.
    pub(super) moved_at: Option<DateTime<Utc>>,
    /// Whether this move put the original there; whatever else lies there is somebody else's.
    pub(super) has_put: bool,
    /// The same of the sidecar.
    pub(super) has_put_sidecar: bool,
}

/// One of the two files of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The original.
    Original,
    /// What lies beside it.
    Sidecar,
}

/// Speaks for the keys that the read model knows and this table does not.
pub(super) async fn restore(pool: &PgPool) -> Result<(), ProcessorError> {
    let mut after = Uuid::nil();
    loop {
        let missing: Vec<(Uuid, String, Option<String>)> = sqlx::query_as(
            "select asset_id, original_key, sidecar_key from read.assets_v1 as asset
              where asset_id > $1 and starts_with(original_key, $2)
                and not exists (select from work.original_places as place
                                 where place.asset_id = asset.asset_id)
              order by asset_id limit $3",
        )
        .bind(after)
        .bind(TEMPLATED_ROOT)
        .bind(RESTORED_AT_ONCE)
        .fetch_all(pool)
        .await?;
        let Some((last, ..)) = missing.last() else { return Ok(()) };
        after = *last;
        sqlx::query(
            "insert into work.original_places (asset_id, key, folded, sidecar_key)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
             on conflict do nothing",
        )
        .bind(missing.iter().map(|(asset_id, ..)| *asset_id).collect::<Vec<_>>())
        .bind(missing.iter().map(|(_, key, _)| key.as_str()).collect::<Vec<_>>())
        .bind(missing.iter().map(|(_, key, _)| folded(key)).collect::<Vec<_>>())
        .bind(missing.iter().map(|(.., sidecar)| sidecar.as_deref()).collect::<Vec<_>>())
        .execute(pool)
        .await?;
    }
}

/// Where an asset's files lie or are moved to. Waits for whoever has the row in hand.
pub(super) async fn place_of(
    pool: &PgPool,
    asset_id: Uuid,
) -> Result<Option<PlaceRow>, ProcessorError> {
    let query =
        format!("select {COLUMNS} from work.original_places where asset_id = $1 for key share");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(asset_id).fetch_optional(pool).await?)
}

/// Takes the row in hand until the transaction ends.
pub(super) async fn place_in_tx(
    tx: &mut PgConnection,
    asset_id: Uuid,
) -> Result<Option<PlaceRow>, ProcessorError> {
    let query =
        format!("select {COLUMNS} from work.original_places where asset_id = $1 for update");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(asset_id).fetch_optional(tx).await?)
}

/// Those of some folded keys that are another asset's, or were and may still be removed.
pub(super) async fn taken(
    pool: &PgPool,
    asset_id: Uuid,
    keys: &[String],
) -> Result<Vec<String>, ProcessorError> {
    Ok(sqlx::query_scalar(
        "select folded from work.original_places where folded = any($2) and asset_id <> $1
          union all
         select former_folded from work.original_places where former_folded = any($2)",
    )
    .bind(asset_id)
    .bind(keys)
    .fetch_all(pool)
    .await?)
}

/// Speaks for a key, before a file is put there; `false` when somebody else has it.
pub(super) async fn claim(
    pool: &PgPool,
    asset_id: Uuid,
    place: &PlaceRow,
) -> Result<bool, ProcessorError> {
    let mut tx = pool.begin().await?;
    let claimed = sqlx::query(
        "insert into work.original_places
                (asset_id, key, sidecar_key, former_key, former_sidecar_key, folded, former_folded)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (asset_id) do update
            set key = excluded.key, sidecar_key = excluded.sidecar_key, moved_at = null,
                folded = excluded.folded, former_folded = excluded.former_folded,
                former_key = excluded.former_key,
                former_sidecar_key = excluded.former_sidecar_key,
                has_put = false, has_put_sidecar = false",
    )
    .bind(asset_id)
    .bind(&place.key)
    .bind(&place.sidecar_key)
    .bind(&place.former_key)
    .bind(&place.former_sidecar_key)
    .bind(folded(&place.key))
    .bind(place.former_key.as_deref().map(folded))
    .execute(&mut *tx)
    .await;
    match claimed {
        Ok(_) => {}
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    // Looked at after the key is ours, so that of two who look at each other one sees the other.
    let is_former: bool = sqlx::query_scalar(
        "select exists (select from work.original_places
                         where former_folded = $2 and asset_id <> $1)",
    )
    .bind(asset_id)
    .bind(folded(&place.key))
    .fetch_one(&mut *tx)
    .await?;
    if is_former {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

/// Puts down that the files lie at a key and nothing is moved.
pub(super) async fn settle_in_tx(
    tx: &mut PgConnection,
    asset_id: Uuid,
    key: &str,
    sidecar_key: Option<&str>,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "update work.original_places
            set key = $2, sidecar_key = $3, folded = $4, former_folded = null,
                former_key = null, former_sidecar_key = null, moved_at = null,
                has_put = false, has_put_sidecar = false
          where asset_id = $1",
    )
    .bind(asset_id)
    .bind(key)
    .bind(sidecar_key)
    .bind(folded(key))
    .execute(tx)
    .await?;
    Ok(())
}

/// Puts down whether a file was put under its new key by this move; `false` when the row is gone.
pub(super) async fn mark_put(
    pool: &PgPool,
    asset_id: Uuid,
    part: Part,
    has_put: bool,
) -> Result<bool, ProcessorError> {
    let update = match part {
        Part::Original => {
            "update work.original_places set has_put = $2
              where asset_id = $1 and former_key is not null"
        }
        Part::Sidecar => {
            "update work.original_places set has_put_sidecar = $2
              where asset_id = $1 and former_key is not null"
        }
    };
    let done = sqlx::query(update).bind(asset_id).bind(has_put).execute(pool).await?;
    Ok(done.rows_affected() > 0)
}

/// Puts down where the sidecar lies and is to lie.
pub(super) async fn set_sidecar(
    pool: &PgPool,
    asset_id: Uuid,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "update work.original_places set former_sidecar_key = $2, sidecar_key = $3
          where asset_id = $1",
    )
    .bind(asset_id)
    .bind(from)
    .bind(to)
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts down when the log was first seen to say the new key.
pub(super) async fn seen_moved(
    pool: &PgPool,
    asset_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "update work.original_places set moved_at = $2 where asset_id = $1 and moved_at is null",
    )
    .bind(asset_id)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn forget_in_tx(
    tx: &mut PgConnection,
    asset_id: Uuid,
) -> Result<(), ProcessorError> {
    sqlx::query("delete from work.original_places where asset_id = $1")
        .bind(asset_id)
        .execute(tx)
        .await?;
    Ok(())
}
