//! Questions about what changed for somebody.

use std::collections::HashMap;

use uuid::Uuid;

use super::feed::{Feed, More};
use super::kind::EVERYBODY;
use super::{last_change, shares};
use crate::error::ProjectionError;
use crate::held_up::held_up;
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

/// Something that is shared with somebody: the scope of its feeds, since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// The change that shared it.
    pub since: i64,
    /// An album, or who shares everything.
    pub scope: Uuid,
    is_album: bool,
}

/// A page of a feed.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Of which feed.
    pub feed: Feed,
    /// Of whose.
    pub scopes: &'a [Uuid],
    /// For whom.
    pub viewer_id: Uuid,
    /// Only changes after this number.
    pub after: i64,
    /// Only changes up to this number.
    pub until: i64,
    /// Of changed assets in albums only those that were added up to this number.
    pub added_until: i64,
    /// How many at most.
    pub limit: i64,
}

/// Where the change log stands for somebody.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The position that every read model has applied.
    position: i64,
    /// The person's albums, shared longest first.
    albums: Vec<Shared>,
    /// Who shares everything with the person, longest first.
    partners: Vec<Shared>,
    heads: HashMap<(Uuid, i16), i64>,
    /// The newest head of each feed, whosever.
    newest: HashMap<i16, i64>,
}

/// SQL: that no event of what is shared waits: who may see it may not be who the rows say.
macro_rules! shares {
    () => {
        concat!("not ", held_up!("album", "source"), " and not ", held_up!("partner", "source"))
    };
}

/// What a line of the standing says; else it is the head of a feed.
const SAYS_POSITION: i16 = 0;
const SAYS_ALBUM: i16 = -shares::ALBUM;
const SAYS_PARTNER: i16 = -shares::PARTNER;

impl Standing {
    /// The newest change that may be told: every read model knows it.
    #[must_use]
    pub fn until(&self) -> i64 {
        last_change(self.position)
    }

    /// How much it says: what is shared, and heads of feeds.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.albums.len() + self.partners.len() + self.heads.len()
    }

    /// The person's albums, shared longest first.
    #[must_use]
    pub fn albums(&self) -> &[Shared] {
        &self.albums
    }

    /// Who shares everything with the person, longest first.
    #[must_use]
    pub fn partners(&self) -> &[Shared] {
        &self.partners
    }

    /// Of these scopes those whose feed has a change after this one.
    #[must_use]
    pub fn with_news(&self, feed: Feed, scopes: &[Uuid], after: i64) -> Vec<Uuid> {
        if self.newest.get(&feed.head()).is_none_or(|newest| *newest <= after) {
            return Vec::new();
        }
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
        let lines: Vec<(i16, Uuid, i64)> = sqlx::query_as(concat!(
            "with shares as (select kind, scope, since from read.sync_shares_v2
                              where user_id = $1 and ",
            shares!(),
            "),
                  scopes as (select unnest($2::uuid[]) as scope union select scope from shares)
             select $4::smallint as says, $1 as id, min(coalesce(position, 0)) as number
               from unnest($3::text[]) as wanted (name)
               left join work.checkpoints using (name)
              union all
             select -kind, scope, since from shares
              union all
             select feed, scope, change from scopes join read.sync_heads_v2 using (scope)",
        ))
        .bind(user_id)
        .bind([user_id, EVERYBODY])
        .bind(&names)
        .bind(SAYS_POSITION)
        .fetch_all(&self.pool)
        .await?;
        let mut standing = Standing::default();
        let mut shares: Vec<Shared> = Vec::new();
        for (says, id, number) in lines {
            match says {
                SAYS_POSITION => standing.position = number,
                SAYS_ALBUM | SAYS_PARTNER => {
                    shares.push(Shared { since: number, scope: id, is_album: says == SAYS_ALBUM });
                }
                feed => {
                    standing.heads.insert((id, feed), number);
                    let newest = standing.newest.entry(feed).or_default();
                    *newest = number.max(*newest);
                }
            }
        }
        // What is shared later than may be told is told another time.
        let until = standing.until();
        shares.retain(|share| share.since <= until);
        shares.sort_unstable();
        (standing.albums, standing.partners) = shares.into_iter().partition(|share| share.is_album);
        Ok(standing)
    }

    /// The scopes that are shared with a person at this moment.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sync_scopes(&self, user_id: Uuid) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(concat!(
            "select scope from read.sync_shares_v2 where user_id = $1 and ",
            shares!()
        ))
        .bind(user_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The next changes of a feed, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sync_page(&self, page: &Page<'_>) -> Result<Vec<Entry>, ProjectionError> {
        let asked = sqlx::query_as(page.feed.select())
            .bind(page.scopes)
            .bind(page.after)
            .bind(page.until)
            .bind(page.limit);
        let asked = match page.feed.more() {
            More::Nothing => asked,
            More::Kind(kind) => asked.bind(kind),
            More::AddedUntil => asked.bind(page.added_until),
            More::Viewer => asked.bind(page.viewer_id),
        };
        Ok(asked.fetch_all(&self.pool).await?)
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
