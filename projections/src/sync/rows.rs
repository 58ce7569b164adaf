//! Rows of the ledger in the tables: what lives, what is gone, and the heads of feeds.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::kind::Kind;
use super::ledger::{Key, Mark, Wanted};
use crate::error::ProjectionError;

/// How long what is gone is remembered. A phone that was away for 30 days starts anew.
const GONE_KEPT: TimeDelta = TimeDelta::days(31);
/// What hangs on an asset because its part names it. There are indexes of parts for these kinds alone.
pub(super) const HANGING: [Kind; 2] = [Kind::MemoryAsset, Kind::Face];

/// What a batch changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) live: Vec<(Key, Mark)>,
    pub(super) gone: Vec<(Key, Mark)>,
    pub(super) not_live: Vec<Key>,
    pub(super) not_gone: Vec<Key>,
    pub(super) heads: BTreeMap<(Uuid, i16), i64>,
}

type Stored = (i16, Uuid, String, Uuid, i64, Option<DateTime<Utc>>);

const LOAD_KEYS: &str = "
    with keys as (
        select * from unnest($1::smallint[], $2::uuid[], $3::text[]) as keys (kind, id, part))
    select kind, id, part, scope, change, null::timestamptz as gone_at
      from keys join sync_rows_v2 using (kind, id, part)
     union all
    select kind, id, part, scope, change, gone_at
      from keys join sync_gone_v2 using (kind, id, part)";

const LOAD_WHOLE: &str = "
    with whole as (select * from unnest($1::smallint[], $2::uuid[]) as whole (kind, id))
    select kind, id, part, scope, change, null::timestamptz as gone_at
      from whole join sync_rows_v2 using (kind, id)
     union all
    select kind, id, part, scope, change, gone_at from whole join sync_gone_v2 using (kind, id)";

// The kinds are those of `HANGING`, spelled out so that the partial indexes are used.
const LOAD_PARTS: &str = "
    select kind, id, part, scope, change, null::timestamptz as gone_at
      from sync_rows_v2 where kind in (11, 13) and part = any($1)
     union all
    select kind, id, part, scope, change, gone_at
      from sync_gone_v2 where kind in (11, 13) and part = any($1)";

/// How the wanted things stand in the tables.
pub(super) async fn load_in_tx(
    tx: &mut PgConnection,
    wanted: &Wanted,
) -> Result<BTreeMap<Key, Mark>, ProjectionError> {
    let mut stored: Vec<Stored> = Vec::new();
    if !wanted.keys.is_empty() {
        let keys = Columns::of(&wanted.keys);
        let found: Vec<Stored> = sqlx::query_as(LOAD_KEYS)
            .bind(keys.kinds)
            .bind(keys.ids)
            .bind(keys.parts)
            .fetch_all(&mut *tx)
            .await?;
        stored.extend(found);
    }
    if !wanted.whole.is_empty() {
        let mut whole: Vec<(i16, Uuid)> =
            wanted.whole.iter().map(|(kind, id)| (kind.number(), *id)).collect();
        whole.sort_unstable();
        whole.dedup();
        let (kinds, ids): (Vec<i16>, Vec<Uuid>) = whole.into_iter().unzip();
        let found: Vec<Stored> =
            sqlx::query_as(LOAD_WHOLE).bind(kinds).bind(ids).fetch_all(&mut *tx).await?;
        stored.extend(found);
    }
    if !wanted.parts.is_empty() {
        let found: Vec<Stored> =
            sqlx::query_as(LOAD_PARTS).bind(&wanted.parts).fetch_all(tx).await?;
        stored.extend(found);
    }
    Ok(stored
        .into_iter()
        .filter_map(|(kind, id, part, scope, change, gone_at)| {
            Some((Key { kind: Kind::of(kind)?, id, part }, Mark { scope, change, gone_at }))
        })
        .collect())
}

/// Writes what changed.
pub(super) async fn store_in_tx(
    tx: &mut PgConnection,
    changed: Changed,
) -> Result<(), ProjectionError> {
    remove_in_tx(tx, &changed.not_live, REMOVE_ROWS).await?;
    remove_in_tx(tx, &changed.not_gone, REMOVE_GONE).await?;
    put_in_tx(tx, &changed.live, STORE_ROWS).await?;
    put_in_tx(tx, &changed.gone, STORE_GONE).await?;
    forget_in_tx(tx, &changed.gone).await?;
    heads_in_tx(tx, &changed.heads).await
}

const REMOVE_ROWS: &str = "
    delete from sync_rows_v2 as held
     using unnest($1::smallint[], $2::uuid[], $3::text[]) as gone (kind, id, part)
     where held.kind = gone.kind and held.id = gone.id and held.part = gone.part";

const REMOVE_GONE: &str = "
    delete from sync_gone_v2 as held
     using unnest($1::smallint[], $2::uuid[], $3::text[]) as gone (kind, id, part)
     where held.kind = gone.kind and held.id = gone.id and held.part = gone.part";

const STORE_ROWS: &str = "
    insert into sync_rows_v2 (kind, id, part, scope, change)
    select kind, id, part, scope, change
      from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[])
        as fresh (kind, id, part, scope, change, gone_at)
        on conflict (kind, id, part)
        do update set scope = excluded.scope, change = excluded.change";

const STORE_GONE: &str = "
    insert into sync_gone_v2 (kind, id, part, scope, change, gone_at)
    select kind, id, part, scope, change, gone_at
      from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[])
        as fresh (kind, id, part, scope, change, gone_at)
        on conflict (kind, id, part)
        do update set scope = excluded.scope, change = excluded.change, gone_at = excluded.gone_at";

/// Keys as the arrays of a statement.
struct Columns<'a> {
    kinds: Vec<i16>,
    ids: Vec<Uuid>,
    parts: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(keys: impl IntoIterator<Item = &'a Key>) -> Self {
        let mut columns = Self { kinds: Vec::new(), ids: Vec::new(), parts: Vec::new() };
        for key in keys {
            columns.kinds.push(key.kind.number());
            columns.ids.push(key.id);
            columns.parts.push(&key.part);
        }
        columns
    }
}

async fn remove_in_tx(
    tx: &mut PgConnection,
    keys: &[Key],
    sql: &'static str,
) -> Result<(), ProjectionError> {
    if keys.is_empty() {
        return Ok(());
    }
    let Columns { kinds, ids, parts } = Columns::of(keys);
    sqlx::query(sql).bind(kinds).bind(ids).bind(parts).execute(tx).await?;
    Ok(())
}

async fn put_in_tx(
    tx: &mut PgConnection,
    rows: &[(Key, Mark)],
    sql: &'static str,
) -> Result<(), ProjectionError> {
    if rows.is_empty() {
        return Ok(());
    }
    let Columns { kinds, ids, parts } = Columns::of(rows.iter().map(|(key, _)| key));
    sqlx::query(sql)
        .bind(kinds)
        .bind(ids)
        .bind(parts)
        .bind(rows.iter().map(|(_, mark)| mark.scope).collect::<Vec<Uuid>>())
        .bind(rows.iter().map(|(_, mark)| mark.change).collect::<Vec<i64>>())
        .bind(rows.iter().map(|(_, mark)| mark.gone_at).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets what is long gone, seen from the newest of what left now.
async fn forget_in_tx(tx: &mut PgConnection, gone: &[(Key, Mark)]) -> Result<(), ProjectionError> {
    if let Some(newest) = gone.iter().filter_map(|(_, mark)| mark.gone_at).max() {
        // Stacks and memories may be taken back at any time, so they are remembered for ever.
        sqlx::query("delete from sync_gone_v2 where gone_at < $1 and kind not in (5, 10, 11)")
            .bind(newest - GONE_KEPT)
            .execute(tx)
            .await?;
    }
    Ok(())
}

async fn heads_in_tx(
    tx: &mut PgConnection,
    heads: &BTreeMap<(Uuid, i16), i64>,
) -> Result<(), ProjectionError> {
    if heads.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sync_heads_v2 as heads (scope, feed, change)
         select * from unnest($1::uuid[], $2::smallint[], $3::bigint[])
         on conflict (scope, feed) do update set change = excluded.change
          where heads.change < excluded.change",
    )
    .bind(heads.keys().map(|(scope, _)| *scope).collect::<Vec<Uuid>>())
    .bind(heads.keys().map(|(_, feed)| *feed).collect::<Vec<i16>>())
    .bind(heads.values().copied().collect::<Vec<i64>>())
    .execute(tx)
    .await?;
    Ok(())
}
