//! `work.original_wishes`: what is to be moved. A row stays until its asset lies where the template says.

use calotype_commands::moves::FILES_LOCK;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::ProcessorError;

/// Wishes looked at for one that nobody has in hand: more than all processes have in hand together.
const LOOKED_AT_MAX: i64 = 64;

/// Wishes for an asset; one that was given up is tried anew.
pub(super) async fn wish_for(
    pool: &PgPool,
    asset_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "insert into work.original_wishes (asset_id, since, due) values ($1, $2, $2)
         on conflict (asset_id) do update
            set since = excluded.since, due = excluded.due, tries = 0, waits = 0, failed = null",
    )
    .bind(asset_id)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

/// Wishes for every asset that is stored here; says how many there are.
pub(super) async fn wish_for_all(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, ProcessorError> {
    let done = sqlx::query(
        "insert into work.original_wishes (asset_id, since, due)
         select asset_id, $1, $1 from read.assets_v1 where library_id is null
         on conflict (asset_id) do update
            set since = excluded.since, due = excluded.due, tries = 0, waits = 0, failed = null",
    )
    .bind(now)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Wishes for what was half moved, and for keys whose asset was deleted for good. What only lies elsewhere than a
/// template says by now stays there, also while the read model is being made anew.
pub(super) async fn wish_for_leftovers(
    pool: &PgPool,
    now: DateTime<Utc>,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "insert into work.original_wishes (asset_id, since, due)
         select asset_id, $1, $1 from work.original_places as place
          where former_key is not null
             or (not exists (select from read.assets_v1 as asset
                              where asset.asset_id = place.asset_id)
                 and exists (select from log.events as event
                              where event.stream_id = 'asset-' || place.asset_id
                                and event.type = 'AssetPurged'))
         on conflict (asset_id) do nothing",
    )
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

/// A wish in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct WishRow {
    pub(super) asset_id: Uuid,
    /// When it was wished last; a newer wish is not fulfilled with this one.
    since: DateTime<Utc>,
    /// Tries that failed in a row.
    pub(super) tries: i32,
    /// How often in a row no step could be taken yet.
    pub(super) waits: i32,
}

/// Takes one of the wishes that are due longest in hand: nobody else gets it until the transaction ends. The
/// row itself is not locked, so that it can be wished again meanwhile.
pub(super) async fn take_in_tx(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Option<WishRow>, ProcessorError> {
    let free: Option<Uuid> = sqlx::query_scalar(
        "select asset_id from (
             select asset_id from work.original_wishes
              where failed is null and due <= $1
              order by due, asset_id limit $2) as due
          where pg_try_advisory_xact_lock($3, hashtext(asset_id::text)) limit 1",
    )
    .bind(now)
    .bind(LOOKED_AT_MAX)
    .bind(FILES_LOCK)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(asset_id) = free else { return Ok(None) };
    // Whoever had it in hand before may be done with it.
    Ok(sqlx::query_as(
        "select asset_id, since, tries, waits from work.original_wishes
          where asset_id = $1 and failed is null and due <= $2",
    )
    .bind(asset_id)
    .bind(now)
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn fulfil_in_tx(
    tx: &mut PgConnection,
    wish: WishRow,
) -> Result<(), ProcessorError> {
    sqlx::query("delete from work.original_wishes where asset_id = $1 and since = $2")
        .bind(wish.asset_id)
        .bind(wish.since)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn postpone_in_tx(
    tx: &mut PgConnection,
    wish: WishRow,
    due: DateTime<Utc>,
    (tries, waits): (i32, i32),
) -> Result<(), ProcessorError> {
    sqlx::query(
        "update work.original_wishes set due = $3, tries = $4, waits = $5
          where asset_id = $1 and since = $2",
    )
    .bind(wish.asset_id)
    .bind(wish.since)
    .bind(due)
    .bind(tries)
    .bind(waits)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn give_up_in_tx(
    tx: &mut PgConnection,
    wish: WishRow,
    reason: &str,
) -> Result<(), ProcessorError> {
    sqlx::query("update work.original_wishes set failed = $3 where asset_id = $1 and since = $2")
        .bind(wish.asset_id)
        .bind(wish.since)
        .bind(reason)
        .execute(tx)
        .await?;
    Ok(())
}

/// When the next wish is due.
pub(super) async fn next_due(pool: &PgPool) -> Result<Option<DateTime<Utc>>, ProcessorError> {
    Ok(sqlx::query_scalar("select min(due) from work.original_wishes where failed is null")
        .fetch_one(pool)
        .await?)
}

/// Forgets the wishes from before some time of which nothing was done yet.
pub(super) async fn forget_not_begun(
    pool: &PgPool,
    before: DateTime<Utc>,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "delete from work.original_wishes as wish
          where failed is null and since <= $1
            and not exists (select from work.original_places as place
                             where place.asset_id = wish.asset_id and former_key is not null)",
    )
    .bind(before)
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets what was given up and wished before some time.
pub(super) async fn forget_failed(
    pool: &PgPool,
    before: DateTime<Utc>,
) -> Result<(), ProcessorError> {
    sqlx::query("delete from work.original_wishes where failed is not null and since <= $1")
        .bind(before)
        .execute(pool)
        .await?;
    Ok(())
}
