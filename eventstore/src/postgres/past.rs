//! Reads the log as it was: up to a position, or what was done in between.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::keys::SubjectKeys;
use super::read::{close, column, decode, unseal};
use crate::error::StoreError;
use crate::event::{Actor, ActorKind, Recorded};
use crate::past::{Deed, Last, Piece, Search, Touched, Until};
use crate::stream::{GlobalPosition, Revision, StreamId};

/// The stream's index finds the events, and each is looked up among the positions by itself: a join over all
/// positions would read the whole log for a few streams.
const SELECT_UNTIL: &str = "
    select *
    from (
        select
            (select p.position from log.positions p where p.event_id = e.event_id) as position,
            e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload, e.subject,
            e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
        from log.events e
        where e.stream_id = any($1)
            and ($2::text[] is null or e.type = any($2))
            and e.event_id not in (select event_id from log.skipped)
    ) placed
    where placed.position <= $3
    order by placed.stream_id, placed.revision
    limit $4";

const SELECT_LAST: &str = "
    select
        last.stream_id, last.revision,
        (select p.position from log.positions p where p.event_id = last.event_id)
    from unnest($1::text[]) as wanted (stream_id)
    cross join lateral (
        select e.stream_id, e.revision, e.event_id
        from log.events e
        where e.stream_id = wanted.stream_id
            and e.type = any($2)
            and e.event_id not in (select event_id from log.skipped)
        order by e.revision desc
        limit 1
    ) last";

const SELECT_TOUCHED: &str = "
    select p.position, e.stream_id, e.revision, e.type
    from (
        select position, event_id
        from log.positions
        where position > $1 and position <= $2
    ) p
    cross join lateral (
        select stream_id, revision, type
        from log.events
        where event_id = p.event_id
            and type = any($3)
            and event_id not in (select event_id from log.skipped)
        limit 1
    ) e
    order by p.position";

const SELECT_DEEDS: &str = "
    select
        p.position, e.stream_id, e.revision, e.actor_kind, e.actor_id, e.actor_user_id, e.recorded_at
    from (
        select position, event_id
        from log.positions
        where position > $1 and position <= $2
    ) p
    cross join lateral (
        select stream_id, revision, actor_kind, actor_id, actor_user_id, recorded_at
        from log.events
        where event_id = p.event_id
            and actor_user_id is not null
            and event_id not in (select event_id from log.skipped)
        limit 1
    ) e
    order by p.position";

/// An erased or skipped position tells no time: the next one does.
const SELECT_AFTER: &str = "
    select p.position, e.recorded_at
    from log.positions p
    join log.events e on e.event_id = p.event_id
    where p.position > $1
    order by p.position
    limit 1";

pub(super) async fn read_until(
    pool: &PgPool,
    keys: &SubjectKeys,
    stream_ids: &[StreamId],
    until: &Until<'_>,
    max: u32,
) -> Result<Vec<Recorded>, StoreError> {
    let rows = sqlx::query(SELECT_UNTIL)
        .bind(names(stream_ids))
        .bind(until.types)
        .bind(until.position.get())
        .bind(i64::from(max))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read streams up to a position"))?;
    let events = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    if until.is_opened { unseal(pool, keys, events).await } else { close(events) }
}

pub(super) async fn touched(pool: &PgPool, piece: Piece<'_>) -> Result<Vec<Touched>, StoreError> {
    let rows: Vec<(i64, String, i64, String)> = sqlx::query_as(SELECT_TOUCHED)
        .bind(piece.after.get())
        .bind(piece.to.get())
        .bind(piece.types)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read what happened in a piece of the log"))?;
    let touched = rows.into_iter().map(|(position, stream_id, revision, event_type)| Touched {
        position: GlobalPosition::new(position),
        stream_id: StreamId::from_stored(stream_id),
        revision: Revision::new(revision),
        event_type,
    });
    Ok(touched.collect())
}

pub(super) async fn last_of(
    pool: &PgPool,
    stream_ids: &[StreamId],
    types: &[&str],
) -> Result<Vec<Last>, StoreError> {
    let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(SELECT_LAST)
        .bind(names(stream_ids))
        .bind(types)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read the last events of streams"))?;
    let last = rows.into_iter().map(|(stream_id, revision, position)| Last {
        stream_id: StreamId::from_stored(stream_id),
        revision: Revision::new(revision),
        position: position.map(GlobalPosition::new),
    });
    Ok(last.collect())
}

pub(super) async fn deeds(
    pool: &PgPool,
    after: GlobalPosition,
    until: GlobalPosition,
) -> Result<Vec<Deed>, StoreError> {
    let rows = sqlx::query(SELECT_DEEDS)
        .bind(after.get())
        .bind(until.get())
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read who did what"))?;
    let mut deeds = Vec::with_capacity(rows.len());
    for row in &rows {
        let position: i64 = column(row, 0)?;
        let kind: &str = column(row, 3)?;
        let kind = ActorKind::from_stored(kind).ok_or_else(|| StoreError::Corrupt {
            table: "log.events",
            column: "actor_kind",
            row: position.to_string(),
            reason: format!("{kind:?} is no kind of actor"),
        })?;
        deeds.push(Deed {
            position: GlobalPosition::new(position),
            stream_id: StreamId::from_stored(column(row, 1)?),
            revision: Revision::new(column(row, 2)?),
            actor: Actor { kind, id: column(row, 4)?, user_id: column::<Option<Uuid>>(row, 5)? },
            recorded_at: column(row, 6)?,
        });
    }
    Ok(deeds)
}

pub(super) async fn position_at(
    pool: &PgPool,
    instant: DateTime<Utc>,
    head: GlobalPosition,
) -> Result<GlobalPosition, StoreError> {
    let mut search = Search::new(instant, head);
    while let Some(after) = search.next() {
        let next: Option<(i64, DateTime<Utc>)> = sqlx::query_as(SELECT_AFTER)
            .bind(after.get())
            .fetch_optional(pool)
            .await
            .map_err(StoreError::database("read when an event was recorded"))?;
        let next = next.map(|(position, at)| (GlobalPosition::new(position), at));
        search.look(after, next);
    }
    Ok(search.found())
}

fn names(stream_ids: &[StreamId]) -> Vec<&str> {
    stream_ids.iter().map(StreamId::as_str).collect()
}
