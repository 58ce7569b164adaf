//! Reads the log. Beside `past.rs`, which reads it as it was, `proof/stored.rs` and `proof/look.rs`, which read rows
//! as they are stored to prove what they hold, `backup/`, which copies them, and `select.rs`, which looks for some,
//! the only module that reads `log.events`, `log.positions`, `log.head`, `log.attachments`.

use std::collections::HashSet;

use bytes::Bytes;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::keys::{KeyState, SubjectKeys};
use crate::error::StoreError;
use crate::event::{Actor, ActorKind, Envelope, Recorded};
use crate::payload::Payload;
use crate::seal::{self, SubjectKey};
use crate::stream::{GlobalPosition, Revision, StreamId};

/// Most events of one read, so that a reader that wants everything does not hold everything.
const READ_EVENTS_MAX: u32 = 50_000;

/// The range and the lateral join keep the plan: positions in order, then one look per event.
const SELECT_ALL: &str = "
    select
        p.position, e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from (
        select position, event_id
        from log.positions
        where position > $1 and position <= $2
    ) p
    left join lateral (
        select
            event_id, stream_id, revision, type, version, payload, subject,
            actor_kind, actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
        from log.events
        where event_id = p.event_id and event_id not in (select event_id from log.skipped)
        limit 1
    ) e on true
    order by p.position";

const SELECT_STREAM: &str = "
    select
        (select p.position from log.positions p where p.event_id = e.event_id),
        e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from log.events e
    where e.stream_id = $1
        and e.revision >= $2
        and e.event_id not in (select event_id from log.skipped)
    order by e.revision
    limit $3";

const SELECT_STREAMS: &str = "
    select
        (select p.position from log.positions p where p.event_id = e.event_id),
        e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from log.events e
    where e.stream_id = any($1)
        and e.event_id not in (select event_id from log.skipped)
    order by e.stream_id, e.revision
    limit $2";

const SELECT_CORRELATED: &str = "
    select
        (select p.position from log.positions p where p.event_id = e.event_id),
        e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from log.events e
    where e.correlation_id = $1
        and e.event_id not in (select event_id from log.skipped)
    order by e.stream_id, e.revision
    limit $2";

const SELECT_HEADERS: &str = "
    select p.position, e.event_id, e.stream_id, e.revision, e.type
    from (
        select position, event_id
        from log.positions
        where position > $1 and position <= $2
    ) p
    left join lateral (
        select event_id, stream_id, revision, type
        from log.events
        where event_id = p.event_id and event_id not in (select event_id from log.skipped)
        limit 1
    ) e on true
    order by p.position";

const SELECT_HEAD: &str = "select position from log.head";

const SELECT_POSITION: &str = "select position from log.positions where event_id = $1";

const SELECT_ATTACHMENTS: &str =
    "select name, bytes from log.attachments where event_id = $1 order by name collate \"C\"";

/// What the relay tells of an event.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) position: GlobalPosition,
    pub(crate) event_id: Uuid,
    pub(crate) stream_id: StreamId,
    pub(crate) revision: Revision,
    pub(crate) event_type: String,
}

pub(super) async fn head(pool: &PgPool) -> Result<GlobalPosition, StoreError> {
    let position = sqlx::query_scalar(SELECT_HEAD)
        .fetch_one(pool)
        .await
        .map_err(StoreError::database("read the log's head"))?;
    Ok(GlobalPosition::new(position))
}

pub(super) async fn position_of(
    pool: &PgPool,
    event_id: Uuid,
) -> Result<Option<GlobalPosition>, StoreError> {
    let position = sqlx::query_scalar(SELECT_POSITION)
        .bind(event_id)
        .fetch_optional(pool)
        .await
        .map_err(StoreError::database("read an event's position"))?;
    Ok(position.map(GlobalPosition::new))
}

pub(super) async fn attachments(
    pool: &PgPool,
    event_id: Uuid,
) -> Result<Vec<(String, Bytes)>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(SELECT_ATTACHMENTS)
        .bind(event_id)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read an event's attachments"))?;
    Ok(rows.into_iter().map(|(name, bytes)| (name, Bytes::from(bytes))).collect())
}

pub(super) async fn skip(
    pool: &PgPool,
    event_id: Uuid,
    reason: &str,
    by: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into log.skipped (event_id, reason, skipped_by) values ($1, $2, $3)
         on conflict do nothing",
    )
    .bind(event_id)
    .bind(reason)
    .bind(by)
    .execute(pool)
    .await
    .map_err(StoreError::database("skip an event"))?;
    Ok(())
}

pub(super) async fn stream(
    pool: &PgPool,
    keys: &SubjectKeys,
    stream_id: &StreamId,
    from: Revision,
    max: u32,
) -> Result<Vec<Recorded>, StoreError> {
    let rows = sqlx::query(SELECT_STREAM)
        .bind(stream_id.as_str())
        .bind(from.get())
        .bind(i64::from(max))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read a stream"))?;
    let events = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    unseal(pool, keys, events).await
}

pub(super) async fn streams(
    pool: &PgPool,
    keys: &SubjectKeys,
    stream_ids: &[StreamId],
    max: u32,
) -> Result<Vec<Recorded>, StoreError> {
    let names: Vec<&str> = stream_ids.iter().map(StreamId::as_str).collect();
    let rows = sqlx::query(SELECT_STREAMS)
        .bind(names)
        .bind(i64::from(max))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read some streams"))?;
    let events = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    unseal(pool, keys, events).await
}

pub(super) async fn correlated(
    pool: &PgPool,
    keys: &SubjectKeys,
    correlation_id: Uuid,
    max: u32,
) -> Result<Vec<Recorded>, StoreError> {
    let rows = sqlx::query(SELECT_CORRELATED)
        .bind(correlation_id)
        .bind(i64::from(max))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read a request's events"))?;
    let events = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    unseal(pool, keys, events).await
}

/// `head` is at least what any caller knows as the head of the log.
pub(super) async fn all(
    pool: &PgPool,
    keys: &SubjectKeys,
    after: GlobalPosition,
    max: u32,
    head: GlobalPosition,
) -> Result<Vec<Recorded>, StoreError> {
    let max = max.min(READ_EVENTS_MAX);
    let mut events = Vec::new();
    let mut after = after;
    loop {
        let missing = max - u32::try_from(events.len()).unwrap_or(max);
        let to = GlobalPosition::new(after.get() + i64::from(missing));
        let rows = sqlx::query(SELECT_ALL)
            .bind(after.get())
            .bind(to.get())
            .fetch_all(pool)
            .await
            .map_err(StoreError::database("read the log"))?;
        events.reserve(rows.len());
        for row in &rows {
            if is_there(row)? {
                events.push(decode(row)?);
            }
        }
        // Once is enough, but for where skipped or erased events left a piece short.
        after = to;
        if events.len() >= usize::try_from(max).unwrap_or(usize::MAX) || after >= head {
            break;
        }
    }
    unseal(pool, keys, events).await
}

/// Headers of the events at most `max` positions after a position, and the position that was read up to.
///
/// `head` is the head as far as the caller knows it; it is asked for where that leaves nothing to read.
pub(crate) async fn headers(
    pool: &PgPool,
    after: GlobalPosition,
    max: u32,
    head: GlobalPosition,
) -> Result<(Vec<Header>, GlobalPosition), StoreError> {
    let head = if head > after { head } else { self::head(pool).await? };
    let read_to = head.min(GlobalPosition::new(after.get() + i64::from(max)));
    if read_to <= after {
        return Ok((Vec::new(), after));
    }
    let rows = sqlx::query(SELECT_HEADERS)
        .bind(after.get())
        .bind(read_to.get())
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read the log's headers"))?;
    let mut headers = Vec::with_capacity(rows.len());
    for row in &rows {
        if is_there(row)? {
            headers.push(Header {
                position: GlobalPosition::new(column(row, 0)?),
                event_id: column(row, 1)?,
                stream_id: StreamId::from_stored(column(row, 2)?),
                revision: Revision::new(column(row, 3)?),
                event_type: column(row, 4)?,
            });
        }
    }
    Ok((headers, read_to))
}

/// Whether the position's event is neither skipped nor erased.
fn is_there(row: &PgRow) -> Result<bool, StoreError> {
    Ok(column::<Option<Uuid>>(row, 1)?.is_some())
}

pub(super) fn decode(row: &PgRow) -> Result<Recorded, StoreError> {
    let event_id: Uuid = column(row, 1)?;
    let corrupt = |column, reason| StoreError::Corrupt {
        table: "log.events",
        column,
        row: event_id.to_string(),
        reason,
    };
    let kind: &str = column(row, 8)?;
    let kind = ActorKind::from_stored(kind)
        .ok_or_else(|| corrupt("actor_kind", format!("{kind:?} is no kind of actor")))?;
    let version: i16 = column(row, 5)?;
    let payload = row
        .try_get_raw(6)
        .and_then(|value| value.as_str().map_err(sqlx::Error::Decode))
        .map_err(StoreError::database("decode an event"))?;
    Ok(Recorded {
        position: column::<Option<i64>>(row, 0)?.map(GlobalPosition::new),
        event_id,
        stream_id: StreamId::from_stored(column(row, 2)?),
        revision: Revision::new(column(row, 3)?),
        event_type: column(row, 4)?,
        version: u16::try_from(version).map_err(|error| corrupt("version", error.to_string()))?,
        payload: Payload::from_json(payload),
        subject: column(row, 7)?,
        envelope: Envelope {
            actor: Actor { kind, id: column(row, 9)?, user_id: column(row, 10)? },
            client: column(row, 11)?,
            correlation_id: column(row, 12)?,
            causation_id: column(row, 13)?,
            recorded_at: column(row, 14)?,
        },
    })
}

pub(super) fn column<'r, T>(row: &'r PgRow, index: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(index).map_err(StoreError::database("decode an event"))
}

/// Opens what is sealed; the keys of all events are fetched in one query.
pub(super) async fn unseal(
    pool: &PgPool,
    keys: &SubjectKeys,
    mut events: Vec<Recorded>,
) -> Result<Vec<Recorded>, StoreError> {
    let sealed: HashSet<&str> = events
        .iter()
        .filter(|event| seal::is_sealed(event.payload.as_str()))
        .filter_map(|event| event.subject.as_deref())
        .collect();
    if sealed.is_empty() {
        return Ok(events);
    }
    let states = keys.to_unseal(pool, sealed.into_iter().collect()).await?;
    open(&mut events, |subject| match states.get(subject) {
        Some(KeyState::Usable(key)) => Some(key),
        Some(KeyState::Destroyed) | None => None,
    })?;
    Ok(events)
}

/// Lets what is sealed read as forgotten, without a key.
pub(super) fn close(mut events: Vec<Recorded>) -> Result<Vec<Recorded>, StoreError> {
    open(&mut events, |_| None)?;
    Ok(events)
}

/// Opens what is sealed with the keys of the subjects; what has no key reads as forgotten.
fn open<'a>(
    events: &mut [Recorded],
    key_of: impl Fn(&str) -> Option<&'a SubjectKey>,
) -> Result<(), StoreError> {
    for event in events.iter_mut().filter(|event| seal::is_sealed(event.payload.as_str())) {
        let key = event.subject.as_deref().and_then(&key_of);
        let opened =
            seal::unseal(event.payload.as_str(), event.event_id, key).map_err(|error| {
                StoreError::Corrupt {
                    table: "log.events",
                    column: "payload",
                    row: event.event_id.to_string(),
                    reason: error.to_string(),
                }
            })?;
        event.payload = Payload::from_json(opened);
    }
    Ok(())
}
