//! Questions about what changed for somebody.

use std::collections::HashMap;

use uuid::Uuid;

use super::kind::{EVERYBODY, Feed};
use super::last_change;
use crate::error::ProjectionError;
use crate::projection::{all, checkpoint_name};
use crate::query::Queries;

/// One change of a feed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// Its number; a feed has it once.
    pub change: i64,
    /// Whose feed it stands in.
    pub scope: Uuid,
    /// Of which thing.
    pub id: Uuid,
    /// The second half of the thing's key.
    pub part: String,
}

/// Where the change log stands for somebody.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The position that every read model has applied.
    position: i64,
    heads: HashMap<(Uuid, i16), i64>,
}

/// What a line of the standing says.
const SAYS_POSITION: i16 = -1;

impl Standing {
    /// The newest change that may be told: every read model knows it.
    #[must_use]
    pub fn until(&self) -> i64 {
        last_change(self.position)
    }

    /// Of these scopes those whose feed has a change after this one.
    #[must_use]
    pub fn with_news(&self, feed: Feed, scopes: &[Uuid], after: i64) -> Vec<Uuid> {
        let head = |scope: &Uuid| self.heads.get(&(*scope, feed.head())).copied();
        scopes
            .iter()
            .copied()
            .filter(|scope| head(scope).is_some_and(|change| change > after))
            .collect()
    }
}

impl Queries {
    /// Where the change log stands for a person, in one round trip.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sync_standing(&self, user_id: Uuid) -> Result<Standing, ProjectionError> {
        let names: Vec<String> =
            all().iter().map(|projection| checkpoint_name(&**projection)).collect();
        let lines: Vec<(i16, Uuid, i64)> = sqlx::query_as(
            "with scopes as (select * from unnest($1::uuid[]) as scopes (scope))
             select $3::smallint as says, $4::uuid as id, min(coalesce(position, 0)) as number
               from unnest($2::text[]) as wanted (name)
               left join work.checkpoints using (name)
              union all
             select feed, scope, change from scopes join read.sync_heads_v1 using (scope)",
        )
        .bind([user_id, EVERYBODY])
        .bind(&names)
        .bind(SAYS_POSITION)
        .bind(EVERYBODY)
        .fetch_all(&self.pool)
        .await?;
        let mut standing = Standing::default();
        for (says, id, number) in lines {
            match says {
                SAYS_POSITION => standing.position = number,
                feed => {
                    standing.heads.insert((id, feed), number);
                }
            }
        }
        Ok(standing)
    }

    /// The next changes of a feed after one number up to another, oldest first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sync_page(
        &self,
        feed: Feed,
        scopes: &[Uuid],
        after: i64,
        until: i64,
        limit: i64,
    ) -> Result<Vec<Entry>, ProjectionError> {
        Ok(sqlx::query_as(feed.select())
            .bind(scopes)
            .bind(after)
            .bind(until)
            .bind(limit)
            .bind(feed.kind())
            .fetch_all(&self.pool)
            .await?)
    }

    /// Waits until everything that is visible now outlives a crash of the database.
    ///
    /// Positions are given without waiting for the disk; what a phone acknowledges must never be given
    /// to another event.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sync_barrier(&self) -> Result<(), ProjectionError> {
        sqlx::query("select pg_logical_emit_message(true, 'calotype', 'sync')")
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
