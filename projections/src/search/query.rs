//! Questions for assets.

use uuid::Uuid;

use super::condition::{Condition, Direction, FoundPage, Search};
use super::sql::{Sql, push_order, push_where, sort};
use crate::assets::AssetRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// The assets that fit, in order; at most [`Search::limit`].
    ///
    /// # Errors
    /// What the database said.
    pub async fn search(&self, search: &Search) -> Result<FoundPage, ProjectionError> {
        let limit = usize::try_from(search.limit).unwrap_or_default();
        let mut assets = self.found(search, search.limit + 1).await?;
        let more = assets.len() > limit;
        assets.truncate(limit);
        let next = assets.last().filter(|_| more).map(|last| search.order.key_of(last));
        Ok(FoundPage { assets, next })
    }

    async fn found(&self, search: &Search, limit: i64) -> Result<Vec<AssetRow>, ProjectionError> {
        let (expression, _) = sort(search.order);
        let mut sql = Sql::new("select a.* from (");
        if let [owner_id] = search.owner_ids.as_slice() {
            sql.push(format!(
                "select s.asset_id, {expression} as sort_key from read.search_v1 s where s.owner_id = "
            ));
            sql.push_bind(*owner_id);
            push_where(&mut sql, search);
            push_order(&mut sql, search);
        } else {
            // Each owner's first ones, by the index that has them in order.
            sql.push("select s.asset_id, s.sort_key from unnest(");
            sql.push_bind(search.owner_ids.clone());
            sql.push(format!(
                "::uuid[]) as owners (id) cross join lateral \
                 (select s.asset_id, {expression} as sort_key from read.search_v1 s where s.owner_id = owners.id"
            ));
            push_where(&mut sql, search);
            push_order(&mut sql, search);
            sql.push(" limit ").push_bind(limit + search.offset).push(") s");
            sql.push(format!(" order by s.sort_key {0}, s.asset_id {0}", way(search.direction)));
        }
        sql.push(" limit ").push_bind(limit).push(" offset ").push_bind(search.offset);
        sql.push(") hits join read.assets_v1 a using (asset_id)");
        sql.push(format!(" order by hits.sort_key {0}, a.asset_id {0}", way(search.direction)));
        // A plan that is kept for all patterns fits none: how many names hold one differs a million times.
        let is_kept = !search.conditions.iter().any(searches_text);
        Ok(sql.build_query_as().persistent(is_kept).fetch_all(&self.pool).await?)
    }

    /// How many assets fit. Without conditions but those of [`is_kept`] a sum of kept counts.
    ///
    /// # Errors
    /// What the database said.
    pub async fn count_found(&self, search: &Search) -> Result<i64, ProjectionError> {
        if search.conditions.iter().all(is_kept) {
            return self.kept_count(search).await;
        }
        let mut sql = Sql::new("select count(*) from read.search_v1 s where s.owner_id = any(");
        sql.push_bind(search.owner_ids.clone()).push(")");
        push_where(&mut sql, search);
        Ok(sql.build_query_scalar().fetch_one(&self.pool).await?)
    }

    async fn kept_count(&self, search: &Search) -> Result<i64, ProjectionError> {
        let mut sql = Sql::new(
            "select coalesce(sum(count), 0)::bigint from read.statistics_v1 where owner_id = any(",
        );
        sql.push_bind(search.owner_ids.clone()).push(")");
        for condition in &search.conditions {
            match condition {
                Condition::Favorite(is) => sql.push(" and is_favorite = ").push_bind(*is),
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
        let mut found = self.walked(search, ">=", from, search.limit).await?;
        let missing = search.limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if missing > 0 {
            found.extend(self.walked(search, "<", from, missing).await?);
        }
        Ok(found)
    }

    async fn walked(
        &self,
        search: &Search,
        than: &str,
        from: Uuid,
        limit: i64,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        let mut sql = Sql::new("select a.* from (select s.asset_id from read.search_v1 s where ");
        match search.owner_ids.as_slice() {
            [owner_id] => sql.push("s.owner_id = ").push_bind(*owner_id),
            all => sql.push("s.owner_id = any(").push_bind(all.to_vec()).push(")"),
        };
        push_where(&mut sql, search);
        sql.push(format!(" and s.asset_id {than} ")).push_bind(from);
        sql.push(" order by s.asset_id limit ").push_bind(limit);
        sql.push(") hits join read.assets_v1 a using (asset_id)");
        Ok(sql.build_query_as().fetch_all(&self.pool).await?)
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
    /// those with the most pictures.
    ///
    /// # Errors
    /// What the database said.
    pub async fn pictures_of_cities(
        &self,
        owner_ids: &[Uuid],
        images_min: i64,
        limit: i64,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select a.*
               from (select city
                       from read.search_places_v1
                      where owner_id = any($1) and city <> ''
                      group by city
                     having sum(images) >= greatest($2, 1)
                      order by sum(images) desc, city
                      limit $3) cities
              cross join lateral
                    (select s.asset_id
                       from read.search_v1 s
                      where s.owner_id = any($1) and s.city = cities.city
                        and s.visibility = 'timeline' and s.trashed_at is null and not s.is_video
                      order by s.taken_at desc, s.asset_id desc
                      limit 1) newest
               join read.assets_v1 a using (asset_id)
              order by a.city collate \"C\", a.asset_id",
        )
        .bind(owner_ids)
        .bind(images_min)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

const fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    }
}

/// Whether a text is searched in.
fn searches_text(condition: &Condition) -> bool {
    match condition {
        Condition::Text(..) => true,
        Condition::Either(lists) => lists.iter().flatten().any(searches_text),
        _ => false,
    }
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
