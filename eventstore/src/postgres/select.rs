//! Looks through the log for events that somebody asks for: in the database, so that only those are opened.
//!
//! There is no index for this: it reads the positions in order, which needs none and costs appends nothing.

use sqlx::PgPool;

use super::keys::SubjectKeys;
use super::read::{column, decode, unseal};
use crate::error::StoreError;
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
            and ($4::text is null or starts_with(stream_id, $4 || '-'))
            and ($5::text is null or type = $5)
            and ($6::timestamptz is null or recorded_at >= $6)
            and ($7::timestamptz is null or recorded_at < $7)
        limit 1
    ) e
    order by p.position
    limit $8";

/// At most `max` events that are asked for, of at most [`LOOKED_POSITIONS_MAX`] behind a position.
pub(super) async fn selected(
    pool: &PgPool,
    keys: &SubjectKeys,
    after: GlobalPosition,
    selection: &Selection,
    max: u32,
    head: GlobalPosition,
) -> Result<Selected, StoreError> {
    let far = after.get().saturating_add(i64::from(LOOKED_POSITIONS_MAX));
    let to = head.min(GlobalPosition::new(far));
    if to <= after {
        return Ok(Selected { events: Vec::new(), looked_to: after });
    }
    let rows = sqlx::query(SELECT_SELECTED)
        .bind(after.get())
        .bind(to.get())
        .bind(&selection.actor)
        .bind(&selection.aggregate)
        .bind(&selection.event_type)
        .bind(selection.from)
        .bind(selection.to)
        .bind(i64::from(max))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("look through the log"))?;
    let is_full = rows.len() >= usize::try_from(max).unwrap_or(usize::MAX);
    let last = rows.last().map(|row| column(row, 0)).transpose()?.map(GlobalPosition::new);
    let looked_to = last.filter(|_| is_full).unwrap_or(to);
    let events = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(Selected { events: unseal(pool, keys, events).await?, looked_to })
}
