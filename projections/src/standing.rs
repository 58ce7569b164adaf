//! How far everybody is that reads the log, and what is parked, in one look each: for the machines and people
//! that watch.

use calotype_eventstore::GlobalPosition;
use sqlx::{FromRow, PgPool};

use crate::error::ProjectionError;

/// Events without a position that are counted at most.
const UNORDERED_MAX: i64 = 1_000;
/// Kinds of parked work that are told at most.
const KINDS_MAX: i64 = 20;

/// How far the readers of the log are. What waits is told by the age of the first event that waits, in seconds
/// by the clock of the database; nothing where nothing waits.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Standing {
    /// The last position that was given.
    pub head: i64,
    /// Committed events that have no position yet; at most a thousand are counted.
    pub unordered_events: i64,
    /// How long the first of those waits.
    pub unordered_seconds: Option<f64>,
    /// How far the relay has rung JetStream; nothing where none ever ran.
    pub relay_position: Option<i64>,
    /// How long the first event waits that it has not rung for.
    pub relay_seconds: Option<f64>,
    /// How long the first event waits that the read models do not show.
    pub applied_seconds: Option<f64>,
}

impl Standing {
    /// Events that JetStream was not told of.
    #[must_use]
    pub fn relay_events(&self) -> i64 {
        self.relay_position.map_or(0, |position| (self.head - position).max(0))
    }
}

/// Parked work of one kind and reason.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ParkedKind {
    /// `projection` or `processor`.
    pub kind: String,
    /// Whose work it is.
    pub name: String,
    /// The reason, in a word.
    pub code: String,
    /// Streams that wait for it.
    pub streams: i64,
    /// One of them.
    pub example: String,
}

/// How far the readers of the log are. `applied` is up to where the read models show it.
///
/// # Errors
/// What the database said.
pub async fn standing(pool: &PgPool, applied: GlobalPosition) -> Result<Standing, ProjectionError> {
    Ok(sqlx::query_as(
        "select head.position as head,
                (select count(*) from (select from log.outbox limit $2) as waiting)
                    as unordered_events,
                (select extract(epoch from clock_timestamp() - events.recorded_at)::float8
                   from (select event_ids from log.outbox order by seq limit 1) as first
                   join log.events as events on events.event_id = first.event_ids[1])
                    as unordered_seconds,
                relay.position as relay_position,
                (select extract(epoch from clock_timestamp() - events.recorded_at)::float8
                   from log.positions as positions
                   join log.events as events using (event_id)
                  where positions.position > relay.position
                  order by positions.position
                  limit 1) as relay_seconds,
                (select extract(epoch from clock_timestamp() - events.recorded_at)::float8
                   from log.positions as positions
                   join log.events as events using (event_id)
                  where positions.position > $1
                  order by positions.position
                  limit 1) as applied_seconds
           from log.head as head
           left join work.checkpoints as relay on relay.name = 'relay'",
    )
    .bind(applied.get())
    .bind(UNORDERED_MAX)
    .fetch_one(pool)
    .await?)
}

/// Up to where every read model of this version shows the log.
///
/// # Errors
/// What the database said.
pub async fn applied(pool: &PgPool) -> Result<GlobalPosition, ProjectionError> {
    let names: Vec<String> = crate::projection::all()
        .iter()
        .map(|projection| crate::projection::checkpoint_name(&**projection))
        .collect();
    let position: i64 = sqlx::query_scalar(
        "select coalesce(min(coalesce(checkpoints.position, 0)), 0)
           from unnest($1::text[]) as wanted (name)
           left join work.checkpoints as checkpoints using (name)",
    )
    .bind(names)
    .fetch_one(pool)
    .await?;
    Ok(GlobalPosition::new(position))
}

/// How many streams are parked: with read models, and with processors.
///
/// # Errors
/// What the database said.
pub async fn parked_streams(pool: &PgPool) -> Result<(i64, i64), ProjectionError> {
    Ok(sqlx::query_as(
        "select count(distinct (name, stream_id)) filter (where kind = 'projection'),
                count(distinct stream_id) filter (where kind = 'processor')
           from work.parked",
    )
    .fetch_one(pool)
    .await?)
}

/// What is parked, by kind and reason, the commonest first; at most twenty kinds.
///
/// # Errors
/// What the database said.
pub async fn parked_kinds(pool: &PgPool) -> Result<Vec<ParkedKind>, ProjectionError> {
    Ok(sqlx::query_as(
        "select kind, name, code, count(distinct stream_id) as streams, min(stream_id) as example
           from work.parked
          group by kind, name, code
          order by streams desc, kind, name, code
          limit $1",
    )
    .bind(KINDS_MAX)
    .fetch_all(pool)
    .await?)
}
