//! Work that processors gave up on, with its reason: rows of `work.parked` of the kind `processor`.

use calotype_domain::AssetId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::ProcessorError;

/// Parks an asset for a processor, in the place of what was parked of it before.
pub(crate) async fn park(
    pool: &PgPool,
    processor: &str,
    asset_id: AssetId,
    event_id: Uuid,
    code: &str,
    reason: &str,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "with before as (
             delete from work.parked
              where kind = 'processor' and name = $1 and stream_id = $2 and event_id <> $3
             returning attempts
         )
         insert into work.parked as parked
                (kind, name, stream_id, event_id, position, type, reason, code, attempts, parked_at)
         select 'processor', $1, $2, $3, 0, '', $4, $5, coalesce(max(attempts), 0) + 1, now()
           from before
         on conflict (kind, name, stream_id, event_id)
         do update set reason = excluded.reason, code = excluded.code,
                       attempts = parked.attempts + 1, parked_at = excluded.parked_at",
    )
    .bind(processor)
    .bind(format!("asset-{asset_id}"))
    .bind(event_id)
    .bind(reason)
    .bind(code)
    .execute(pool)
    .await?;
    metrics::counter!("calotype_parked_total", "processor" => processor.to_owned()).increment(1);
    Ok(())
}

/// Forgets that an asset was parked, because it went well or is gone.
pub(crate) async fn unpark(
    pool: &PgPool,
    processor: &str,
    asset_id: AssetId,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "delete from work.parked where kind = 'processor' and name = $1 and stream_id = $2",
    )
    .bind(processor)
    .bind(format!("asset-{asset_id}"))
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets what was parked for assets that have no failed step any more: somebody lived with it, or asked
/// for it again and it went well.
pub(crate) async fn forget_cleared(pool: &PgPool) -> Result<(), ProcessorError> {
    sqlx::query(
        "delete from work.parked
          where kind = 'processor'
            and stream_id like 'asset-%'
            and not exists (select from read.jobs_v2 as jobs
                             where jobs.asset_id = substring(parked.stream_id from 7)::uuid
                               and (jobs.failed <> '{}' or jobs.waiting <> '{}'))",
    )
    .execute(pool)
    .await?;
    Ok(())
}
