//! A map of the log: what happens in each piece of it, so that questions about all of it pass over pieces that cannot
//! hold an answer.
//!
//! A piece that is not on the map is looked through. What is on it may say too much, where events were erased since,
//! and never too little: positions are given once.

use sqlx::PgPool;

use super::select::Question;
use crate::error::StoreError;
use crate::stream::GlobalPosition;

/// Positions of one piece; `work.log_blocks` says the same.
const BLOCK_POSITIONS: i64 = 10_000;
/// Different actors of a piece that are kept; of more, none are.
const ACTORS_MAX: i64 = 200;

/// The first piece that may hold an answer, or is not on the map.
const SELECT_NEXT: &str = "
    select min(pieces.block)
    from generate_series($1::bigint, $2::bigint) as pieces (block)
    left join work.log_blocks as known using (block)
    where known.block is null
        or (($3::text is null or known.actors is null or $3 = any(known.actors))
            and ($4::text[] is null or known.aggregates && $4)
            and ($5::text[] is null or known.types && $5)
            and ($6::timestamptz is null or known.last_at >= $6)
            and ($7::timestamptz is null or known.first_at < $7))";

/// The first piece that the log has passed and that is not on the map.
const SELECT_MISSING: &str = "
    select min(pieces.block)
    from generate_series(0, (select position / $1 - 1 from log.head)) as pieces (block)
    left join work.log_blocks as known using (block)
    where known.block is null";

const INSERT: &str = "
    insert into work.log_blocks (block, aggregates, types, actors, first_at, last_at)
    select
        $1,
        coalesce(array_agg(distinct split_part(e.stream_id, '-', 1)), '{}'),
        coalesce(array_agg(distinct e.type), '{}'),
        case when count(distinct by.actor) <= $3
            then coalesce(array_agg(distinct by.actor) filter (where by.actor is not null), '{}')
        end,
        min(e.recorded_at),
        max(e.recorded_at)
    from (
        select event_id
        from log.positions
        where position > $1 * $2 and position <= ($1 + 1) * $2
    ) p
    cross join lateral (
        select stream_id, type, actor_id, actor_user_id, recorded_at
        from log.events
        where event_id = p.event_id
        limit 1
    ) e
    cross join lateral (values (e.actor_id), (e.actor_user_id::text)) as by (actor)
    on conflict do nothing";

/// Behind which position the first event may stand that fits a question; none where there is none up to the head.
pub(super) async fn next(
    pool: &PgPool,
    after: GlobalPosition,
    head: GlobalPosition,
    question: &Question<'_>,
) -> Result<Option<GlobalPosition>, StoreError> {
    let block: Option<i64> = sqlx::query_scalar(SELECT_NEXT)
        .bind(after.get() / BLOCK_POSITIONS)
        .bind((head.get() - 1) / BLOCK_POSITIONS)
        .bind(question.actor)
        .bind(question.aggregates)
        .bind(question.types)
        .bind(question.from)
        .bind(question.to)
        .fetch_one(pool)
        .await
        .map_err(StoreError::database("look at the map of the log"))?;
    Ok(block.map(|block| GlobalPosition::new(block * BLOCK_POSITIONS).max(after)))
}

/// Puts one piece that the log has passed onto the map; false where all of them are there.
pub(super) async fn remember_one(pool: &PgPool) -> Result<bool, StoreError> {
    let failed = || StoreError::database("make the map of the log");
    let missing: Option<i64> = sqlx::query_scalar(SELECT_MISSING)
        .bind(BLOCK_POSITIONS)
        .fetch_one(pool)
        .await
        .map_err(failed())?;
    let Some(block) = missing else { return Ok(false) };
    sqlx::query(INSERT)
        .bind(block)
        .bind(BLOCK_POSITIONS)
        .bind(ACTORS_MAX)
        .execute(pool)
        .await
        .map_err(failed())?;
    Ok(true)
}
