//! The rows of a batch in memory: loaded once, changed event by event in the order of the log, stored once.
//!
//! Because every event is taken in order, it does not matter how the log is cut into batches.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::kind::{Feed, Kind};
use crate::error::ProjectionError;

/// How long what is gone is remembered. A phone that was away for 30 days starts anew.
const GONE_KEPT: TimeDelta = TimeDelta::days(31);

/// What names a synced thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    pub(super) part: String,
}

impl Key {
    /// Of a thing that an id names.
    pub(super) fn new(kind: Kind, id: Uuid) -> Self {
        Self::with_part(kind, id, String::new())
    }

    /// Of a thing that an id and a part name.
    pub(super) fn with_part(kind: Kind, id: Uuid, part: impl Into<String>) -> Self {
        Self { kind, id, part: part.into() }
    }
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    scope: Uuid,
    change: i64,
    /// When it left its feed; nothing while it lives.
    gone_at: Option<DateTime<Utc>>,
}

/// A thing before a batch and after it.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    before: Option<Mark>,
    after: Option<Mark>,
}

/// The rows of a batch.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    fates: BTreeMap<Key, Fate>,
    heads: BTreeMap<(Uuid, i16), i64>,
}

type Stored = (i16, Uuid, String, Uuid, i64, Option<DateTime<Utc>>);

impl Ledger {
    /// Loads how these things stand. Only they may be changed.
    pub(super) async fn load_in_tx(
        tx: &mut PgConnection,
        mut keys: Vec<Key>,
    ) -> Result<Self, ProjectionError> {
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let stored: Vec<Stored> = sqlx::query_as(
            "with keys as (
                 select * from unnest($1::smallint[], $2::uuid[], $3::text[]) as keys (kind, id, part))
             select kind, id, part, scope, change, null::timestamptz as gone_at
               from keys join sync_rows_v1 using (kind, id, part)
              union all
             select kind, id, part, scope, change, gone_at
               from keys join sync_gone_v1 using (kind, id, part)",
        )
        .bind(keys.iter().map(|key| key.kind.number()).collect::<Vec<i16>>())
        .bind(keys.iter().map(|key| key.id).collect::<Vec<Uuid>>())
        .bind(keys.iter().map(|key| key.part.as_str()).collect::<Vec<&str>>())
        .fetch_all(tx)
        .await?;
        let mut marks: BTreeMap<(i16, Uuid, String), Mark> = stored
            .into_iter()
            .map(|(kind, id, part, scope, change, gone_at)| {
                ((kind, id, part), Mark { scope, change, gone_at })
            })
            .collect();
        let fates = keys
            .into_iter()
            .map(|key| {
                let mark = marks.remove(&(key.kind.number(), key.id, key.part.clone()));
                (key, Fate { before: mark, after: mark })
            })
            .collect();
        Ok(Self { fates, heads: BTreeMap::new() })
    }

    /// The thing is there, or changed.
    pub(super) fn live(&mut self, key: &Key, scope: Uuid, change: i64) {
        self.raise(Feed::Rows(key.kind), scope, change);
        self.mark(key, Mark { scope, change, gone_at: None });
    }

    /// Something about the thing changed, if it is there.
    pub(super) fn touch(&mut self, key: &Key, change: i64) {
        if let Some(Mark { scope, gone_at: None, .. }) =
            self.fates.get(key).and_then(|fate| fate.after)
        {
            self.live(key, scope, change);
        }
    }

    /// The thing left its feed. Who never heard of it does not hear of its end.
    pub(super) fn gone(&mut self, key: &Key, change: i64, at: DateTime<Utc>) {
        let Some(Mark { scope, gone_at: None, .. }) =
            self.fates.get(key).and_then(|fate| fate.after)
        else {
            return;
        };
        self.gone_from(key, scope, change, at);
    }

    /// The thing left the feed of a scope, whether or not its row stands here.
    pub(super) fn gone_from(&mut self, key: &Key, scope: Uuid, change: i64, at: DateTime<Utc>) {
        self.raise(Feed::Gone(key.kind), scope, change);
        self.mark(key, Mark { scope, change, gone_at: Some(at) });
    }

    /// The thing ends together with everybody who could hear of it.
    pub(super) fn vanish(&mut self, key: &Key) {
        if let Some(fate) = self.fates.get_mut(key) {
            fate.after = None;
        }
    }

    /// A feed has a change with this number.
    pub(super) fn raise(&mut self, feed: Feed, scope: Uuid, change: i64) {
        let head = self.heads.entry((scope, feed.head())).or_insert(change);
        *head = change.max(*head);
    }

    /// Keeps the newer of two marks: an event that is applied once more changes nothing.
    fn mark(&mut self, key: &Key, mark: Mark) {
        let Some(fate) = self.fates.get_mut(key) else { return };
        if fate.after.is_none_or(|known| known.change < mark.change) {
            fate.after = Some(mark);
        }
    }

    /// Writes what changed.
    pub(super) async fn store_in_tx(self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        let changed: Vec<(Key, Fate)> =
            self.fates.into_iter().filter(|(_, fate)| fate.before != fate.after).collect();
        let is_live = |mark: Option<Mark>| mark.is_some_and(|mark| mark.gone_at.is_none());
        let is_gone = |mark: Option<Mark>| mark.is_some_and(|mark| mark.gone_at.is_some());
        let (mut live, mut gone) = (Columns::default(), Columns::default());
        let (mut not_live, mut not_gone) = (Columns::default(), Columns::default());
        for (key, fate) in &changed {
            if is_live(fate.before) && !is_live(fate.after) {
                not_live.push(key, fate.before);
            }
            if is_gone(fate.before) && !is_gone(fate.after) {
                not_gone.push(key, fate.before);
            }
            if is_live(fate.after) {
                live.push(key, fate.after);
            } else if is_gone(fate.after) {
                gone.push(key, fate.after);
            }
        }
        not_live.remove_in_tx(tx, REMOVE_ROWS).await?;
        not_gone.remove_in_tx(tx, REMOVE_GONE).await?;
        live.store_in_tx(tx, STORE_ROWS).await?;
        gone.store_in_tx(tx, STORE_GONE).await?;
        forget_in_tx(tx, &gone).await?;
        store_heads_in_tx(tx, &self.heads).await
    }
}

const REMOVE_ROWS: &str = "
    delete from sync_rows_v1 as held
     using unnest($1::smallint[], $2::uuid[], $3::text[]) as gone (kind, id, part)
     where held.kind = gone.kind and held.id = gone.id and held.part = gone.part";

const REMOVE_GONE: &str = "
    delete from sync_gone_v1 as held
     using unnest($1::smallint[], $2::uuid[], $3::text[]) as gone (kind, id, part)
     where held.kind = gone.kind and held.id = gone.id and held.part = gone.part";

const STORE_ROWS: &str = "
    insert into sync_rows_v1 (kind, id, part, scope, change)
    select kind, id, part, scope, change
      from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[])
        as fresh (kind, id, part, scope, change, gone_at)
        on conflict (kind, id, part)
        do update set scope = excluded.scope, change = excluded.change";

const STORE_GONE: &str = "
    insert into sync_gone_v1 (kind, id, part, scope, change, gone_at)
    select kind, id, part, scope, change, gone_at
      from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[])
        as fresh (kind, id, part, scope, change, gone_at)
        on conflict (kind, id, part)
        do update set scope = excluded.scope, change = excluded.change, gone_at = excluded.gone_at";

/// Rows as the arrays of a statement.
#[derive(Default)]
struct Columns {
    kinds: Vec<i16>,
    ids: Vec<Uuid>,
    parts: Vec<String>,
    scopes: Vec<Uuid>,
    changes: Vec<i64>,
    gone_at: Vec<Option<DateTime<Utc>>>,
}

impl Columns {
    fn push(&mut self, key: &Key, mark: Option<Mark>) {
        let Some(mark) = mark else { return };
        self.kinds.push(key.kind.number());
        self.ids.push(key.id);
        self.parts.push(key.part.clone());
        self.scopes.push(mark.scope);
        self.changes.push(mark.change);
        self.gone_at.push(mark.gone_at);
    }

    async fn remove_in_tx(
        &self,
        tx: &mut PgConnection,
        sql: &'static str,
    ) -> Result<(), ProjectionError> {
        if !self.kinds.is_empty() {
            sqlx::query(sql)
                .bind(&self.kinds)
                .bind(&self.ids)
                .bind(&self.parts)
                .execute(tx)
                .await?;
        }
        Ok(())
    }

    async fn store_in_tx(
        &self,
        tx: &mut PgConnection,
        sql: &'static str,
    ) -> Result<(), ProjectionError> {
        if !self.kinds.is_empty() {
            sqlx::query(sql)
                .bind(&self.kinds)
                .bind(&self.ids)
                .bind(&self.parts)
                .bind(&self.scopes)
                .bind(&self.changes)
                .bind(&self.gone_at)
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}

/// Forgets what is long gone, seen from the newest of what left now.
async fn forget_in_tx(tx: &mut PgConnection, gone: &Columns) -> Result<(), ProjectionError> {
    if let Some(newest) = gone.gone_at.iter().copied().flatten().max() {
        sqlx::query("delete from sync_gone_v1 where gone_at < $1")
            .bind(newest - GONE_KEPT)
            .execute(tx)
            .await?;
    }
    Ok(())
}

async fn store_heads_in_tx(
    tx: &mut PgConnection,
    heads: &BTreeMap<(Uuid, i16), i64>,
) -> Result<(), ProjectionError> {
    if heads.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sync_heads_v1 as heads (scope, feed, change)
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
