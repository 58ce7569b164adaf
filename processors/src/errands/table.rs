//! Rows of `work.errands`.

use std::time::Duration;

use calotype_domain::AssetId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::FORMER_FILES;
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Errands taken at once; their rows are held until all of them ran.
const TAKEN_MAX: i64 = 64;
/// How long an errand waits that failed; doubles with each further try.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Doublings of that: about half an hour at most.
const DOUBLINGS_MAX: u32 = 10;
/// How long a processor may take that wrote down what it is about to do; then somebody else looks after it.
const OWN_WORK_MAX: Duration = Duration::from_secs(900);

/// One errand.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Errand {
    /// Its event, or an id of its own.
    pub(crate) errand_id: Uuid,
    /// The event's type, or [`FORMER_FILES`].
    pub(crate) kind: String,
    /// The event's stream.
    pub(crate) stream_id: String,
    /// The event's place in it.
    pub(crate) revision: i64,
    /// How often it was tried in vain.
    pub(crate) tries: i32,
}

/// How long an errand waits that failed after so many tries in vain.
pub(super) fn retry_after(tries: i32) -> Duration {
    let doublings = u32::try_from(tries).unwrap_or(0).min(DOUBLINGS_MAX);
    RETRY_AFTER * 2_u32.saturating_pow(doublings)
}

/// Errands that are due, without those of kinds that are paused: looked at over and over they would hold up the
/// others. No other process has them while the transaction lasts.
pub(super) async fn due_in_tx(
    tx: &mut PgConnection,
    paused: &[&str],
) -> Result<Vec<Errand>, ProcessorError> {
    Ok(sqlx::query_as(
        "select errand_id, kind, stream_id, revision, tries
           from work.errands
          where due_at <= now() and kind <> all($2)
          order by due_at, position
          limit $1
            for update skip locked",
    )
    .bind(TAKEN_MAX)
    .bind(paused)
    .fetch_all(tx)
    .await?)
}

pub(super) async fn put_off_in_tx(
    tx: &mut PgConnection,
    errand: &Errand,
    tries: i32,
    after: Duration,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "update work.errands
            set tries = $2, due_at = clock_timestamp() + make_interval(secs => $3)
          where errand_id = $1",
    )
    .bind(errand.errand_id)
    .bind(tries)
    .bind(after.as_secs_f64())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn forget_in_tx(
    tx: &mut PgConnection,
    errand_ids: &[Uuid],
) -> Result<(), ProcessorError> {
    sqlx::query("delete from work.errands where errand_id = any($1)")
        .bind(errand_ids)
        .execute(tx)
        .await?;
    Ok(())
}

impl Worker {
    /// Writes down that an asset's pictures are about to be taken the place of, so that the former ones are
    /// removed even where this process ends in between.
    pub(crate) async fn note_former(&self, asset_id: AssetId) -> Result<Uuid, ProcessorError> {
        let errand_id = self.commands.ids().v7();
        sqlx::query(
            "insert into work.errands (errand_id, kind, stream_id, revision, position, due_at)
             values ($1, $2, $3, 0, 0, clock_timestamp() + make_interval(secs => $4))",
        )
        .bind(errand_id)
        .bind(FORMER_FILES)
        .bind(format!("asset-{asset_id}"))
        .bind(OWN_WORK_MAX.as_secs_f64())
        .execute(&self.pool)
        .await?;
        Ok(errand_id)
    }

    /// An errand that was written down was run by whoever wrote it.
    pub(crate) async fn forget_errand(&self, errand_id: Uuid) -> Result<(), ProcessorError> {
        let mut db = self.pool.acquire().await?;
        forget_in_tx(&mut db, &[errand_id]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_that_fails_waits_longer_each_time_but_never_for_hours() {
        assert_eq!(retry_after(0), Duration::from_secs(2));
        assert_eq!(retry_after(3), Duration::from_secs(16));
        assert_eq!(retry_after(i32::MAX), Duration::from_secs(2_048));
    }
}
