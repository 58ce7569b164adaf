//! Streams that a projection could not apply, and assets that a processor gave up on.
//!
//! A projection that cannot apply an event parks that stream: this event and all later ones of the
//! stream wait in `work.parked`, in order, and the rest of the log flows on.

use std::collections::HashSet;

use calotype_domain::access::takes_away;
use calotype_eventstore::{GlobalPosition, Recorded, Revision, StreamId};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::{Event, because};
use crate::projection::{checkpoint_name, present_of};
use crate::query::Queries;
use crate::rebuild::changed_in_tx;
use crate::runner::checkpoint;
use crate::sync::start_anew_in_tx;

/// Parked rows listed at once.
const LISTED_MAX: i64 = 1_000;
/// Events of one stream read in one go.
const PAGE_EVENTS: u32 = 1_000;
/// What is said of a read model that this release does not have.
const NO_SUCH: &str =
    "this release has no such read model in this version; discard forgets what waits for it";

/// One parked event.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct Parked {
    /// `projection` or `processor`.
    pub kind: String,
    /// Whose work it is.
    pub name: String,
    /// The stream.
    pub stream_id: String,
    /// The event.
    pub event_id: Uuid,
    /// The event's place in the log.
    pub position: i64,
    /// A short code.
    pub code: String,
    /// Why, for a person.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when.
    pub parked_at: DateTime<Utc>,
}

/// What became of a parked stream that was tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Whose work it is.
    pub name: String,
    /// Events that were applied now.
    pub applied: u32,
    /// Events that are still parked.
    pub left: u32,
    /// Why the first of those cannot be applied.
    pub reason: Option<String>,
}

impl Queries {
    /// What is parked of one stream, in order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn parked_of(&self, stream_id: &str) -> Result<Vec<Parked>, ProjectionError> {
        Ok(sqlx::query_as(
            "select kind, name, stream_id, event_id, position, coalesce(code, '') as code,
                    reason, attempts, parked_at
               from work.parked
              where stream_id = $1
              order by kind, name, position
              limit $2",
        )
        .bind(stream_id)
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Applies what is parked of a stream, in order, until an event fails again. Phones that may be past it
    /// start anew.
    ///
    /// # Errors
    /// What the database said; then all is as before.
    pub async fn retry_parked(
        &self,
        name: &str,
        stream_id: &str,
    ) -> Result<Retried, ProjectionError> {
        let Some(projection) = crate::projection::all()
            .into_iter()
            .find(|projection| checkpoint_name(&**projection) == name)
        else {
            return self.left_to_others(name, stream_id).await;
        };
        let recorded = self.recorded_from_parked(name, stream_id).await?;
        let mut tx = self.pool.begin().await?;
        sqlx::query("set local search_path = read").execute(&mut *tx).await?;
        // The live runner holds the same row while it applies a batch.
        sqlx::query("select position from work.checkpoints where name = $1 for update")
            .bind(name)
            .execute(&mut *tx)
            .await?;
        let parked: Vec<(Uuid, i64)> = sqlx::query_as(
            "select event_id, position from work.parked
              where kind = 'projection' and name = $1 and stream_id = $2
              order by position",
        )
        .bind(name)
        .bind(stream_id)
        .fetch_all(&mut *tx)
        .await?;
        let mut retried =
            Retried { name: name.to_owned(), applied: 0, left: count(parked.len()), reason: None };
        let mut is_settled = false;
        for (event_id, position) in parked {
            // One that was skipped or erased meanwhile is not there.
            if let Some(recorded) = recorded.iter().find(|one| one.event_id == event_id) {
                sqlx::query("savepoint one").execute(&mut *tx).await?;
                let applied = match Event::decode(recorded) {
                    Ok(mut event) => {
                        event.position = GlobalPosition::new(position);
                        projection.apply_in_tx(&mut tx, &[&event]).await
                    }
                    Err(error) => Err(error),
                };
                if let Err(error) = applied {
                    sqlx::query("rollback to savepoint one").execute(&mut *tx).await?;
                    let reason = because(&error);
                    fail_again_in_tx(&mut tx, name, event_id, &reason).await?;
                    retried.reason = Some(reason);
                    break;
                }
                retried.applied += 1;
            }
            sqlx::query(
                "delete from work.parked where kind = 'projection' and name = $1 and event_id = $2",
            )
            .bind(name)
            .bind(event_id)
            .execute(&mut *tx)
            .await?;
            retried.left -= 1;
            is_settled = true;
        }
        if is_settled {
            start_anew_in_tx(&mut tx, &[stream_id.to_owned()]).await?;
            changed_in_tx(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(retried)
    }

    /// What waits for a read model of another release stays as it is.
    async fn left_to_others(
        &self,
        name: &str,
        stream_id: &str,
    ) -> Result<Retried, ProjectionError> {
        let left: i64 = sqlx::query_scalar(
            "select count(*) from work.parked
              where kind = 'projection' and name = $1 and stream_id = $2",
        )
        .bind(name)
        .bind(stream_id)
        .fetch_one(&self.pool)
        .await?;
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let reason = (left > 0).then(|| NO_SUCH.to_owned());
        Ok(Retried { name: name.to_owned(), applied: 0, left, reason })
    }

    /// The events of a stream from the first on that waits for a read model.
    async fn recorded_from_parked(
        &self,
        name: &str,
        stream_id: &str,
    ) -> Result<Vec<Recorded>, ProjectionError> {
        let first: Option<i64> = sqlx::query_scalar(
            "select min(events.revision)
               from work.parked as parked join log.events as events using (event_id)
              where parked.kind = 'projection' and parked.name = $1 and parked.stream_id = $2",
        )
        .bind(name)
        .bind(stream_id)
        .fetch_one(&self.pool)
        .await?;
        let (aggregate, key) = stream_id.split_once('-').unwrap_or((stream_id, ""));
        let stream = StreamId::new(aggregate, key);
        let (mut events, mut from) = (Vec::new(), first.map_or(Revision::FIRST, Revision::new));
        loop {
            let page = self.store().read_stream(&stream, from, PAGE_EVENTS).await?;
            let is_last = page.len() < usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
            from = page.last().map_or(from, |last| Revision::new(last.revision.get() + 1));
            events.extend(page);
            if is_last {
                return Ok(events);
            }
        }
    }

    /// Gives up the first parked event of a stream: no reader sees it from now on. Then tries the rest. What waits
    /// for a read model that this release does not have is forgotten, and nothing is given up.
    ///
    /// # Errors
    /// [`ProjectionError::TakesAway`] for an event without which somebody would have access again, and see
    /// [`Queries::retry_parked`].
    pub async fn discard_parked(
        &self,
        name: &str,
        stream_id: &str,
        by: &str,
    ) -> Result<Retried, ProjectionError> {
        if !crate::projection::all().iter().any(|it| checkpoint_name(&**it) == name) {
            let mut tx = self.pool.begin().await?;
            forget_of_another_release_in_tx(&mut tx, name, Some(stream_id)).await?;
            tx.commit().await?;
            return Ok(Retried { name: name.to_owned(), applied: 0, left: 0, reason: None });
        }
        let first: Option<(Uuid, String, String)> = sqlx::query_as(
            "select parked.event_id, parked.reason, coalesce(events.type, parked.type)
               from work.parked as parked
               left join log.events as events using (event_id)
              where parked.kind = 'projection' and parked.name = $1 and parked.stream_id = $2
              order by parked.position
              limit 1",
        )
        .bind(name)
        .bind(stream_id)
        .fetch_optional(&self.pool)
        .await?;
        if let Some((event_id, reason, event_type)) = first {
            if takes_away(&event_type) {
                return Err(ProjectionError::TakesAway { event_type });
            }
            self.store().skip(event_id, &reason, by).await?;
        }
        self.retry_parked(name, stream_id).await
    }

    /// Whether a read model waits before an event of a stream: it may show what was taken away.
    ///
    /// # Errors
    /// What the database said.
    pub async fn is_held_up(&self, stream_id: &str) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select exists (select from work.parked where kind = 'projection' and stream_id = $1)",
        )
        .bind(stream_id)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Forgets what a processor parked of a stream.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_parked(&self, name: &str, stream_id: &str) -> Result<(), ProjectionError> {
        sqlx::query(
            "delete from work.parked where kind = 'processor' and name = $1 and stream_id = $2",
        )
        .bind(name)
        .bind(stream_id)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What is parked, oldest first; at most a thousand.
    ///
    /// # Errors
    /// What the database said.
    pub async fn parked(&self) -> Result<Vec<Parked>, ProjectionError> {
        Ok(sqlx::query_as(
            "select kind, name, stream_id, event_id, position, coalesce(code, '') as code,
                    reason, attempts, parked_at
               from work.parked
              order by position
              limit $1",
        )
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }
}

async fn fail_again_in_tx(
    tx: &mut PgConnection,
    name: &str,
    event_id: Uuid,
    reason: &str,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "update work.parked set attempts = attempts + 1, reason = $3, code = 'failed'
          where kind = 'projection' and name = $1 and event_id = $2",
    )
    .bind(name)
    .bind(event_id)
    .bind(reason)
    .execute(tx)
    .await?;
    Ok(())
}

fn count(events: usize) -> u32 {
    u32::try_from(events).unwrap_or(u32::MAX)
}

/// The streams parked for a projection.
pub(crate) async fn streams_in_tx(
    tx: &mut PgConnection,
    projection: &str,
) -> Result<HashSet<String>, ProjectionError> {
    let streams: Vec<String> = sqlx::query_scalar(
        "select distinct stream_id from work.parked where kind = 'projection' and name = $1",
    )
    .bind(projection)
    .fetch_all(tx)
    .await?;
    Ok(streams.into_iter().collect())
}

/// Which event waits, and why.
pub(crate) struct Waiting<'a> {
    pub(crate) stream_id: &'a str,
    pub(crate) event_id: Uuid,
    pub(crate) position: GlobalPosition,
    pub(crate) code: &'static str,
    pub(crate) reason: &'a str,
}

/// Parks one event for a projection.
pub(crate) async fn park_in_tx(
    tx: &mut PgConnection,
    projection: &str,
    waiting: &Waiting<'_>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "insert into work.parked
                (kind, name, stream_id, event_id, position, type, reason, code, attempts, parked_at)
         values ('projection', $1, $2, $3, $4,
                 coalesce((select type from log.events where event_id = $3), ''), $5, $6, 1, now())
         on conflict do nothing",
    )
    .bind(projection)
    .bind(waiting.stream_id)
    .bind(waiting.event_id)
    .bind(waiting.position.get())
    .bind(waiting.reason)
    .bind(waiting.code)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets what waits for earlier versions of read models, where the present one has passed it.
pub(crate) async fn forget_former(pool: &PgPool) -> Result<(), ProjectionError> {
    let names: Vec<(String, Option<i64>)> = sqlx::query_as(
        "select name, max(position) from work.parked where kind = 'projection' group by name",
    )
    .fetch_all(pool)
    .await?;
    for (name, last) in names {
        let Some(present) = present_of(&name) else { continue };
        let mut tx = pool.begin().await?;
        let reached = checkpoint(&mut tx, &checkpoint_name(&*present)).await?;
        if reached.get() >= last.unwrap_or_default() {
            forget_of_another_release_in_tx(&mut tx, &name, None).await?;
            tracing::info!(projection = name, "forgot what waited for a former version");
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Forgets what waits for a read model that this release does not have, of one stream or of all. A release that has
/// it begins before that again: events that are applied once more change nothing, and what cannot be is parked anew.
async fn forget_of_another_release_in_tx(
    tx: &mut PgConnection,
    name: &str,
    stream_id: Option<&str>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "update work.checkpoints
            set position = least(position, (select greatest(0, min(position) - 1) from work.parked
                                             where kind = 'projection' and name = $1
                                               and stream_id = coalesce($2, stream_id)
                                            having count(*) > 0))
          where name = $1",
    )
    .bind(name)
    .bind(stream_id)
    .execute(&mut *tx)
    .await?;
    let settled: Vec<String> = sqlx::query_scalar(
        "with settled as (delete from work.parked
                           where kind = 'projection' and name = $1
                             and stream_id = coalesce($2, stream_id)
                          returning stream_id)
         select distinct stream_id from settled",
    )
    .bind(name)
    .bind(stream_id)
    .fetch_all(&mut *tx)
    .await?;
    start_anew_in_tx(tx, &settled).await?;
    changed_in_tx(tx).await
}

/// Forgets what was parked for a projection, because it starts from zero. Phones that may be past it start anew.
pub(crate) async fn clear_in_tx(
    tx: &mut PgConnection,
    projection: &str,
) -> Result<(), ProjectionError> {
    let settled: Vec<String> = sqlx::query_scalar(
        "with settled as (delete from work.parked where kind = 'projection' and name = $1
                          returning stream_id)
         select distinct stream_id from settled",
    )
    .bind(projection)
    .fetch_all(&mut *tx)
    .await?;
    start_anew_in_tx(tx, &settled).await
}
