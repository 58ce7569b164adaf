//! Looks through the log for events that somebody asks for: in the database, so that only those are opened.
//!
//! There is no index for this: it reads the positions in order, which needs none and costs appends nothing, and
//! passes over pieces of the log in which nothing of that happened (`blocks.rs`).

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgRow;

use super::blocks;
use super::keys::SubjectKeys;
use super::read::{close, column, decode, unseal};
use crate::error::StoreError;
use crate::event::Recorded;
use crate::past::Piece;
use crate::selection::{LOOKED_POSITIONS_MAX, Selected, Selection};
use crate::stream::GlobalPosition;

/// As `SELECT_ALL` of `read.rs`: the range and the lateral join keep the plan.
const SELECT_SELECTED: &str = "
    select
        p.position, e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from (
        select position, event_id
        from log.positions
        where position > $1 and position <= $2
    ) p
    cross join lateral (
        select
            event_id, stream_id, revision, type, version, payload, subject,
            actor_kind, actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
        from log.events
        where event_id = p.event_id
            and event_id not in (select event_id from log.skipped)
            and ($3::text is null or actor_id = $3 or actor_user_id::text = $3)
            and ($4::text[] is null or split_part(stream_id, '-', 1) = any($4))
            and ($5::text[] is null or type = any($5))
            and ($6::timestamptz is null or recorded_at >= $6)
            and ($7::timestamptz is null or recorded_at < $7)
        limit 1
    ) e
    order by p.position
    limit $8";

/// What an event must be; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Question<'a> {
    /// Who did it, or in whose name.
    pub(super) actor: Option<&'a str>,
    /// What stands before the first hyphen of its stream.
    pub(super) aggregates: Option<&'a [&'a str]>,
    /// Its type.
    pub(super) types: Option<&'a [&'a str]>,
    /// Recorded then or later.
    pub(super) from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub(super) to: Option<DateTime<Utc>>,
}

/// At most `max` events that are asked for, of at most [`LOOKED_POSITIONS_MAX`] behind a position.
pub(super) async fn selected(
    pool: &PgPool,
    keys: &SubjectKeys,
    after: GlobalPosition,
    selection: &Selection,
    max: u32,
    head: GlobalPosition,
) -> Result<Selected, StoreError> {
    let aggregate: Vec<&str> = selection.aggregate.iter().map(String::as_str).collect();
    let event_type: Vec<&str> = selection.event_type.iter().map(String::as_str).collect();
    let question = Question {
        actor: selection.actor.as_deref(),
        aggregates: (!aggregate.is_empty()).then_some(aggregate.as_slice()),
        types: (!event_type.is_empty()).then_some(event_type.as_slice()),
        from: selection.from,
        to: selection.to,
    };
    answered(pool, keys, after, &question, max, head).await
}

/// The same of events of some aggregates.
pub(super) async fn of_aggregates(
    pool: &PgPool,
    keys: &SubjectKeys,
    after: GlobalPosition,
    aggregates: &[&str],
    max: u32,
    head: GlobalPosition,
) -> Result<Selected, StoreError> {
    let question = Question { aggregates: Some(aggregates), ..Question::default() };
    answered(pool, keys, after, &question, max, head).await
}

/// All events of a piece of the log, closed.
pub(super) async fn piece(pool: &PgPool, piece: Piece<'_>) -> Result<Vec<Recorded>, StoreError> {
    let question = Question { types: Some(piece.types), ..Question::default() };
    let rows = rows(pool, (piece.after, piece.to), &question, None).await?;
    close(rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?)
}

async fn answered(
    pool: &PgPool,
    keys: &SubjectKeys,
    after: GlobalPosition,
    question: &Question<'_>,
    max: u32,
    head: GlobalPosition,
) -> Result<Selected, StoreError> {
    if head <= after {
        return Ok(Selected { events: Vec::new(), looked_to: after });
    }
    let Some(after) = blocks::next(pool, after, head, question).await? else {
        return Ok(Selected { events: Vec::new(), looked_to: head });
    };
    let far = after.get().saturating_add(i64::from(LOOKED_POSITIONS_MAX));
    let to = head.min(GlobalPosition::new(far));
    let rows = rows(pool, (after, to), question, Some(max)).await?;
    let is_full = rows.len() >= usize::try_from(max).unwrap_or(usize::MAX);
    let last = rows.last().map(|row| column(row, 0)).transpose()?.map(GlobalPosition::new);
    let looked_to = last.filter(|_| is_full).unwrap_or(to);
    let events = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(Selected { events: unseal(pool, keys, events).await?, looked_to })
}

async fn rows(
    pool: &PgPool,
    (after, to): (GlobalPosition, GlobalPosition),
    question: &Question<'_>,
    max: Option<u32>,
) -> Result<Vec<PgRow>, StoreError> {
    sqlx::query(SELECT_SELECTED)
        .bind(after.get())
        .bind(to.get())
        .bind(question.actor)
        .bind(question.aggregates)
        .bind(question.types)
        .bind(question.from)
        .bind(question.to)
        .bind(max.map(i64::from))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("look through the log"))
}
