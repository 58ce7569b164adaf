//! Questions about tags.

use uuid::Uuid;

use super::view::TagRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// A person's tags, by path.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tags_of(&self, owner_id: Uuid) -> Result<Vec<TagRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.tags_v1
              where owner_id = $1 and not is_deleted
              order by value collate \"C\", tag_id",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The tags of a list that exist, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tags(&self, tag_ids: &[Uuid]) -> Result<Vec<TagRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.tags_v1 where tag_id = any($1) and not is_deleted")
            .bind(tag_ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// A tag and all that stand under it, the deepest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tag_tree(&self, tag_id: Uuid) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "with recursive tree (tag_id, depth) as (
                 select tag_id, 0 from read.tags_v1 where tag_id = $1 and not is_deleted
                 union all
                 select child.tag_id, tree.depth + 1
                   from tree
                   join read.tags_v1 as child
                     on child.parent_id = tree.tag_id and not child.is_deleted
             )
             select tag_id from tree order by depth desc, tag_id",
        )
        .bind(tag_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Those of some tags that are a person's, each with itself and every tag that stands under it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tag_trees(
        &self,
        owner_id: Uuid,
        tag_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "with recursive tree (root_id, tag_id) as (
                 select distinct tag_id, tag_id
                   from read.tags_v1
                  where tag_id = any($2) and owner_id = $1 and not is_deleted
                 union all
                 select tree.root_id, child.tag_id
                   from tree
                   join read.tags_v1 as child
                     on child.parent_id = tree.tag_id and not child.is_deleted
             )
             select root_id, tag_id from tree",
        )
        .bind(owner_id)
        .bind(tag_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The pairs of assets and tags that are there already.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tagged(
        &self,
        tag_ids: &[Uuid],
        asset_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, tag_id
               from read.tag_assets_v1
              where tag_id = any($1) and asset_id = any($2)",
        )
        .bind(tag_ids)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Tags that no asset carries, nor any tag that stands under them; the deepest first, at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn empty_tags(&self, limit: i64) -> Result<Vec<TagRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select tags.*
               from read.tags_v1 as tags
              where not tags.is_deleted
                and not exists (
                    select from read.tags_v1 as below
                      join read.tag_assets_v1 using (tag_id)
                     where below.owner_id = tags.owner_id and not below.is_deleted
                       and (below.tag_id = tags.tag_id or below.value ^@ (tags.value || '/')))
              order by length(tags.value) desc, tags.tag_id
              limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
