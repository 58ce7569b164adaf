//! Questions for assets.

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::belongs::{self, Trees};
use super::condition::{Condition, Direction, FoundPage, Ids, Scope, Search};
use super::hit::{HIT_COLUMNS, Hit, Placed};
use super::sql::{Context, Sql, push_where, sort};
use crate::assets::AssetRow;
use crate::error::ProjectionError;
use crate::held_up::held_up_assets;
use crate::query::Queries;

impl Queries {
    /// The assets that fit, in order; at most [`Search::limit`].
    ///
    /// # Errors
    /// What the database said.
    pub async fn search(&self, search: &Search) -> Result<FoundPage<AssetRow>, ProjectionError> {
        self.page(search, Shape::Rows).await
    }

    /// The same without what they are made of.
    ///
    /// # Errors
    /// What the database said.
    pub async fn search_hits(&self, search: &Search) -> Result<FoundPage<Hit>, ProjectionError> {
        self.page(search, Shape::Hits).await
    }

    async fn page<T>(&self, search: &Search, shape: Shape) -> Result<FoundPage<T>, ProjectionError>
    where
        T: Placed + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let limit = usize::try_from(search.limit).unwrap_or_default();
        let (expression, _) = sort(search.order);
        let walk = Walk { expression, way: way(search.direction), from: None };
        let mut assets: Vec<T> = self.walked(search, walk, search.limit + 1, shape).await?;
        let more = assets.len() > limit;
        assets.truncate(limit);
        let next = assets.last().filter(|_| more).map(|last| search.order.key_of(&last.hit()));
        Ok(FoundPage { assets, next })
    }

    /// How many assets fit. Without conditions but those of `is_kept` a sum of kept counts.
    ///
    /// # Errors
    /// What the database said.
    pub async fn count_found(&self, search: &Search) -> Result<i64, ProjectionError> {
        if let Scope::People(owner_ids) = &search.scope
            && search.conditions.iter().all(is_kept)
        {
            return self.kept_count(search, owner_ids).await;
        }
        let trees = self.trees(search).await?;
        let short = self.short(search, &trees).await?;
        let context = Context { search, trees: &trees, short: &short };
        let mut sql = Sql::new("select count(*) from read.search_v1 s where ");
        belongs::scope(&mut sql, &context);
        push_where(&mut sql, &context);
        Ok(sql
            .build_query_scalar()
            .persistent(is_planned_once(search, &short))
            .fetch_one(&self.pool)
            .await?)
    }

    async fn kept_count(
        &self,
        search: &Search,
        owner_ids: &[Uuid],
    ) -> Result<i64, ProjectionError> {
        let mut sql = Sql::new(
            "select coalesce(sum(count), 0)::bigint from read.statistics_v1 where owner_id = any(",
        );
        sql.push_bind(owner_ids.to_vec()).push(") and (owner_id = ").push_bind(search.viewer_id);
        sql.push(" or (visibility = 'timeline' and not is_trashed))");
        for condition in &search.conditions {
            match condition {
                Condition::Favorite(is) => {
                    sql.push(" and (is_favorite and owner_id = ").push_bind(search.viewer_id);
                    sql.push(") = ").push_bind(*is)
                }
                Condition::Video(is) => sql.push(" and is_video = ").push_bind(*is),
                Condition::Trashed(is) => sql.push(" and is_trashed = ").push_bind(*is),
                Condition::Visibility(words) => {
                    sql.push(" and visibility = any(").push_bind(words.clone()).push(")")
                }
                _ => &mut sql,
            };
        }
        Ok(sql.build_query_scalar().fetch_one(&self.pool).await?)
    }

    /// Assets that fit, from a random id on: ids are random, so that this is a random choice.
    ///
    /// # Errors
    /// What the database said.
    pub async fn found_from(
        &self,
        search: &Search,
        from: Uuid,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        let walk = |than| Walk { expression: "s.asset_id", way: "asc", from: Some((than, from)) };
        let mut found = self.walked(search, walk(">="), search.limit, Shape::Rows).await?;
        let missing = search.limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if missing > 0 {
            found.extend(self.walked(search, walk("<"), missing, Shape::Rows).await?);
        }
        Ok(found)
    }

    /// The ids of all assets that fit, in the order of ids: those after the given one, at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn found_ids_after(
        &self,
        search: &Search,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        let trees = self.trees(search).await?;
        let short = self.short(search, &trees).await?;
        let context = Context { search, trees: &trees, short: &short };
        let mut sql = Sql::new("select s.asset_id from read.search_v1 s where ");
        belongs::scope(&mut sql, &context);
        let from = after.map(|after| (">", after));
        push_walk(&mut sql, &context, &Walk { expression: "s.asset_id", way: "asc", from });
        sql.push(" limit ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(sql
            .build_query_scalar()
            .persistent(is_planned_once(search, &short))
            .fetch_all(&self.pool)
            .await?)
    }

    async fn walked<T>(
        &self,
        search: &Search,
        walk: Walk,
        limit: i64,
        shape: Shape,
    ) -> Result<Vec<T>, ProjectionError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let trees = self.trees(search).await?;
        let short = self.short(search, &trees).await?;
        let context = Context { search, trees: &trees, short: &short };
        let Walk { expression, way, .. } = walk;
        let mut sql = Sql::new(match shape {
            Shape::Rows => "select a.* from (",
            Shape::Hits => "select hits.* from (",
        });
        match &search.scope {
            Scope::People(owners) if owners.len() > 1 => {
                // Each owner's first ones, by the index that has them in order.
                sql.push(format!("select {HIT_COLUMNS}, s.sort_key from unnest("));
                sql.push_bind(owners.clone());
                sql.push(format!(
                    "::uuid[]) as owners (id) cross join lateral \
                     (select {HIT_COLUMNS}, {expression} as sort_key from read.search_v1 s \
                       where s.owner_id = owners.id"
                ));
                belongs::shown(&mut sql, &search.scope, search.viewer_id);
                push_walk(&mut sql, &context, &walk);
                sql.push(" limit ").push_bind(limit + search.offset).push(") s");
                sql.push(format!(" order by s.sort_key {way}, s.asset_id {way}"));
            }
            _ => {
                sql.push(format!(
                    "select {HIT_COLUMNS}, {expression} as sort_key from read.search_v1 s where "
                ));
                belongs::scope(&mut sql, &context);
                push_walk(&mut sql, &context, &walk);
            }
        }
        sql.push(" limit ").push_bind(limit).push(" offset ").push_bind(search.offset);
        sql.push(match shape {
            Shape::Rows => ") hits join read.assets_v1 a using (asset_id)",
            Shape::Hits => ") hits",
        });
        sql.push(format!(" order by hits.sort_key {way}, hits.asset_id {way}"));
        let is_planned_once = is_planned_once(search, &short);
        Ok(sql.build_query_as().persistent(is_planned_once).fetch_all(&self.pool).await?)
    }

    /// Those lists that must be met and are short, in one question at most.
    async fn short(
        &self,
        search: &Search,
        trees: &Trees,
    ) -> Result<Vec<Condition>, ProjectionError> {
        let of_scope = match &search.scope {
            Scope::Albums { album_ids, .. } => Some(Condition::Albums(Ids::All(album_ids.clone()))),
            Scope::People(_) | Scope::Link(_) => None,
        };
        let lists: Vec<Condition> = of_scope
            .into_iter()
            .chain(search.conditions.iter().filter(|condition| must_be_met(condition)).cloned())
            .collect();
        if lists.is_empty() {
            return Ok(lists);
        }
        let mut sql = Sql::new("select array[");
        for (index, condition) in lists.iter().enumerate() {
            sql.push(if index > 0 { ", " } else { "" });
            belongs::is_short(&mut sql, condition, trees);
        }
        sql.push("]");
        let short: Vec<bool> = sql.build_query_scalar().fetch_one(&self.pool).await?;
        Ok(lists.into_iter().zip(short).filter(|(_, short)| *short).map(|(list, _)| list).collect())
    }

    /// The trees of the tags that are asked for.
    async fn trees(&self, search: &Search) -> Result<Trees, ProjectionError> {
        let mut asked: Vec<Uuid> = Vec::new();
        for condition in &search.conditions {
            condition.visit(&mut |condition| {
                if let Condition::Tags(ids) = condition {
                    asked.extend(ids.as_slice());
                }
            });
        }
        if asked.is_empty() {
            return Ok(Trees::new());
        }
        let pairs = self.tag_trees(search.viewer_id, &asked).await?;
        let mut trees = Trees::new();
        for (root_id, tag_id) in pairs {
            trees.entry(root_id).or_default().push(tag_id);
        }
        Ok(trees)
    }

    /// What was uploaded to timelines last, the newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn recently_uploaded(
        &self,
        owner_id: Uuid,
        limit: i64,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select a.*
               from (select s.asset_id, s.created_at
                       from read.search_v1 s
                      where s.owner_id = $1 and s.visibility = 'timeline' and s.trashed_at is null
                      order by s.created_at desc, s.asset_id desc
                      limit $2) hits
               join read.assets_v1 a using (asset_id)
              order by hits.created_at desc, a.asset_id desc",
        )
        .bind(owner_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The newest picture of each city that has at least so many, by the city's name; at most `limit` cities,
    /// those with the most pictures. Each owner's first one is looked for by itself, because the index has them
    /// in order: otherwise all pictures of the largest cities would be read.
    ///
    /// # Errors
    /// What the database said.
    pub async fn pictures_of_cities(
        &self,
        owner_ids: &[Uuid],
        images_min: i64,
        limit: i64,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select a.*
               from (select city
                       from read.search_places_v1
                      where owner_id = any($1) and city <> ''
                      group by city
                     having sum(images) >= greatest($2, 1)
                      order by sum(images) desc, city
                      limit $3) cities
              cross join lateral
                    (select theirs.asset_id
                       from unnest($1::uuid[]) as owners (id)
                      cross join lateral
                            (select s.asset_id, s.taken_at
                               from read.search_v1 s
                              where s.owner_id = owners.id and s.city = cities.city
                                and s.visibility = 'timeline' and s.trashed_at is null
                                and not s.is_video and s.asset_id <> all(",
            held_up_assets!(),
            ")
                              order by s.taken_at desc, s.asset_id desc
                              limit 1) theirs
                      order by theirs.taken_at desc, theirs.asset_id desc
                      limit 1) newest
               join read.assets_v1 a using (asset_id)
              order by a.city collate \"C\", a.asset_id",
        ))
        .bind(owner_ids)
        .bind(images_min)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

/// What is read of hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// [`AssetRow`]s.
    Rows,
    /// [`Hit`]s.
    Hits,
}

/// In which order hits are looked for, and from where on.
struct Walk {
    /// What they are ordered by.
    expression: &'static str,
    way: &'static str,
    /// Only ids that compare so with this one.
    from: Option<(&'static str, Uuid)>,
}

/// The conditions and the order.
fn push_walk(sql: &mut Sql, context: &Context<'_>, walk: &Walk) {
    push_where(sql, context);
    if let Some((than, from)) = walk.from {
        sql.push(format!(" and s.asset_id {than} ")).push_bind(from);
    }
    let Walk { expression, way, .. } = walk;
    sql.push(format!(" order by {expression} {way}, s.asset_id {way}"));
}

const fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    }
}

/// Whether it is a list that an asset must be in.
const fn must_be_met(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::Albums(Ids::All(_) | Ids::Any(_))
            | Condition::People(Ids::All(_) | Ids::Any(_))
            | Condition::Tags(Ids::All(_) | Ids::Any(_))
    )
}

/// Whether one plan fits all questions of this shape. How many names hold a text, and how many assets a list
/// has, differs a million times; but a short list is always read first, and its assets are looked up.
fn is_planned_once(search: &Search, short: &[Condition]) -> bool {
    let mut is_once = match &search.scope {
        Scope::People(_) => true,
        Scope::Albums { album_ids, .. } => {
            short.contains(&Condition::Albums(Ids::All(album_ids.clone())))
        }
        Scope::Link(_) => false,
    };
    for condition in &search.conditions {
        condition.visit(&mut |condition| {
            is_once &= match condition {
                Condition::Text(..) | Condition::Written(_) => false,
                Condition::Albums(_) | Condition::People(_) | Condition::Tags(_) => {
                    short.contains(condition)
                }
                _ => true,
            };
        });
    }
    is_once
}

/// Whether the kept counts know of it.
const fn is_kept(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::Favorite(_)
            | Condition::Video(_)
            | Condition::Trashed(_)
            | Condition::Visibility(_)
    )
}
