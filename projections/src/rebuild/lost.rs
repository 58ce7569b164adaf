//! Generations that are given up without an order: those of another release, those that hold what was deleted for
//! good since, and those that nobody wanted back for long.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tracing::info;

use super::orders::drop_previous_in_tx;
use super::record::{self, Record, State, Wish};
use super::tables::{self, Place};
use crate::error::ProjectionError;
use crate::projection::present_of;

/// How long the generation that was live before is kept, at most.
const PREVIOUS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long some rows that differed are kept.
const EXAMPLES_KEPT: Duration = Duration::from_secs(3_600);
/// Positions looked through in one go for what was deleted for good.
const LOOKED_MAX: i64 = 100_000;
/// After these events nothing of what they are about may be kept anywhere.
const DELETES_FOR_GOOD: [&str; 3] = ["AlbumPurged", "AssetPurged", "UserPurged"];

/// Looks after generations that nobody is at.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// What is kept, by where it stands, and up to where the log was looked through for it.
    looked: Option<(Vec<(String, i64)>, i64)>,
}

impl Lost {
    /// Drops what is not to be kept.
    pub(super) async fn look(&mut self, pool: &PgPool) -> Result<(), ProjectionError> {
        drop_former(pool, &record::all(pool).await?).await?;
        sqlx::query(
            "update work.rebuilds set examples = null
              where examples is not null and stopped_at < now() - make_interval(secs => $1)",
        )
        .bind(EXAMPLES_KEPT.as_secs_f64())
        .execute(pool)
        .await?;
        drop_late(pool).await?;
        self.look_for_deleted(pool).await
    }

    /// Looks through the log from the first position that something kept stands at, a part at a time.
    async fn look_for_deleted(&mut self, pool: &PgPool) -> Result<(), ProjectionError> {
        loop {
            let kept: Vec<(String, i64)> = record::all(pool)
                .await?
                .iter()
                .filter_map(|record| Some((record.name.clone(), oldest_kept(record)?)))
                .collect();
            let Some(first) = kept.iter().map(|(_, position)| *position).min() else {
                self.looked = None;
                return Ok(());
            };
            let from = match &self.looked {
                Some((known, looked)) if *known == kept => *looked,
                _ => first,
            };
            let (head, deleted): (i64, Option<i64>) = sqlx::query_as(
                "select (select position from log.head),
                        (select max(positions.position)
                           from log.positions join log.events using (event_id)
                          where positions.position > $1 and positions.position <= $1 + $2
                            and events.type = any($3))",
            )
            .bind(from)
            .bind(LOOKED_MAX)
            .bind(DELETES_FOR_GOOD)
            .fetch_one(pool)
            .await?;
            if let Some(deleted) = deleted {
                forget_before(pool, deleted).await?;
                continue;
            }
            let to = head.min(from + LOOKED_MAX);
            self.looked = Some((kept, to));
            if to >= head {
                return Ok(());
            }
        }
    }
}

/// Drops at once what is kept beside from before something was deleted for good. What is built now is not touched.
///
/// # Errors
/// What the database said.
pub async fn forget_deleted(pool: &PgPool) -> Result<(), ProjectionError> {
    Lost::default().look_for_deleted(pool).await
}

/// Drops generations that nobody wanted back for long.
async fn drop_late(pool: &PgPool) -> Result<(), ProjectionError> {
    let late: Vec<String> = sqlx::query_scalar(
        "select name from work.rebuilds where previous_since < now() - make_interval(secs => $1)",
    )
    .bind(PREVIOUS_KEPT.as_secs_f64())
    .fetch_all(pool)
    .await?;
    for name in late {
        let mut tx = pool.begin().await?;
        if let Some(known) = record::lock_in_tx(&mut tx, &name).await? {
            drop_previous_in_tx(&mut tx, &known).await?;
            info!(projection = name, "dropped the generation before: nobody wanted it back");
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Drops generations of earlier versions of the read models of this release.
async fn drop_former(pool: &PgPool, records: &[Record]) -> Result<(), ProjectionError> {
    for record in records.iter().filter(|record| present_of(&record.name).is_some()) {
        let mut tx = pool.begin().await?;
        if let Some(known) = record::lock_in_tx(&mut tx, &record.name).await? {
            tables::drop_in_tx(&mut tx, Place::Next, &known.tables).await?;
            tables::drop_in_tx(&mut tx, Place::Previous, &known.tables).await?;
            sqlx::query("delete from work.rebuilds where name = $1")
                .bind(&known.name)
                .execute(&mut *tx)
                .await?;
            info!(projection = known.name, "dropped what a former release built");
        }
        tx.commit().await?;
    }
    Ok(())
}

/// The earliest position at which rows of this read model are kept that nobody moves on, or that are shown.
fn oldest_kept(record: &Record) -> Option<i64> {
    let stands =
        matches!(record.state(), State::Paused | State::Failed) || record.examples.is_some();
    // At the beginning there are no rows.
    let next = stands.then(|| record.position().get()).filter(|position| *position > 0);
    next.into_iter().chain(record.previous_position).min()
}

/// Drops what generations hold of before a position. One that is paused or failed begins again when it is resumed.
async fn forget_before(pool: &PgPool, position: i64) -> Result<(), ProjectionError> {
    let names: Vec<String> = sqlx::query_scalar(
        "select name from work.rebuilds
          where previous_position < $1
             or position between 1 and $1 - 1 and (state in ('paused', 'failed') or examples is not null)",
    )
    .bind(position)
    .fetch_all(pool)
    .await?;
    for name in names {
        let mut tx = pool.begin().await?;
        if let Some(known) = record::lock_in_tx(&mut tx, &name).await? {
            forget_in_tx(&mut tx, &known, position).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

async fn forget_in_tx(
    tx: &mut PgConnection,
    known: &Record,
    position: i64,
) -> Result<(), ProjectionError> {
    if known.previous_position.is_some_and(|previous| previous < position) {
        drop_previous_in_tx(tx, known).await?;
        info!(
            projection = known.name,
            "dropped the generation before: something was deleted for good since"
        );
    }
    if known.position().get() >= position {
        return Ok(());
    }
    sqlx::query("update work.rebuilds set examples = null where name = $1")
        .bind(&known.name)
        .execute(&mut *tx)
        .await?;
    if !matches!(known.state(), State::Paused | State::Failed) {
        return Ok(());
    }
    tables::drop_in_tx(tx, Place::Next, &known.tables).await?;
    let state = if known.wish() == Wish::Rollback { "discarded" } else { known.state().as_str() };
    sqlx::query(
        "update work.rebuilds set position = 0, events = 0, resumed_events = 0, stage = 'filling', state = $2
          where name = $1",
    )
    .bind(&known.name)
    .bind(state)
    .execute(tx)
    .await?;
    info!(projection = known.name, "dropped what was built: something was deleted for good since");
    Ok(())
}
