//! Questions about what stands beside assets.

use uuid::Uuid;

use super::view::{AssetPage, KeyValueRow};
use crate::assets::AssetRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// One asset with all that its page shows, in one question: each more would cost as much again in
    /// going there and back.
    ///
    /// # Errors
    /// What the database said.
    pub async fn asset_page(&self, asset_id: Uuid) -> Result<Option<AssetPage>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset.*,
                 (select coalesce(json_agg(tags.* order by tags.value), '[]')
                    from read.tag_assets_v1 as carried
                    join read.tags_v1 as tags using (tag_id)
                   where carried.asset_id = asset.asset_id and not tags.is_deleted) as tags,
                 (select json_build_object(
                             'stack_id', stacks.stack_id,
                             'primary_asset_id', stacks.primary_asset_id,
                             'count', coalesce(shown.count, 0))
                    from read.stack_assets_v1 as member
                    join read.stacks_v1 as stacks using (stack_id)
                    left join read.timeline_stacks_v2 as shown using (stack_id)
                   where member.asset_id = asset.asset_id
                   limit 1) as stack,
                 (select duplicate_id
                    from read.duplicates_v1
                   where duplicates_v1.asset_id = asset.asset_id) as duplicate_id,
                 (select coalesce(json_agg(person.* order by here.x1, person.person_id), '[]')
                    from (select person_id, min(coalesce(x1, 0)) as x1
                            from read.faces_v1
                           where faces_v1.asset_id = asset.asset_id and person_id is not null
                           group by person_id) as here
                    join read.people_v1 as person using (person_id)) as people
               from read.assets_v1 as asset
              where asset.asset_id = $1",
        )
        .bind(asset_id)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The values that programs keep with some assets, by asset and key.
    ///
    /// # Errors
    /// What the database said.
    pub async fn key_values(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<Vec<KeyValueRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.asset_key_values_v1
              where asset_id = any($1)
              order by asset_id, key collate \"C\"",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's assets that are in groups of duplicates and show: group and asset, group by group.
    /// Groups of which only one shows are left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn duplicates_of(
        &self,
        owner_id: Uuid,
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select duplicate_id, asset_id
               from (select duplicates.duplicate_id, assets.asset_id, assets.created_at,
                            count(*) over (partition by duplicates.duplicate_id) as together,
                            min(assets.created_at) over (partition by duplicates.duplicate_id) as first
                       from read.duplicates_v1 as duplicates
                       join read.assets_v1 as assets using (asset_id)
                      where assets.owner_id = $1 and assets.trashed_at is null
                        and assets.visibility in ('timeline', 'archive')) as shown
              where together > 1
              order by first, duplicate_id, created_at, asset_id",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The assets of some groups of duplicates that are a person's: group and asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn duplicate_groups(
        &self,
        owner_id: Uuid,
        duplicate_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select duplicates.duplicate_id, duplicates.asset_id
               from read.duplicates_v1 as duplicates
               join read.assets_v1 as assets using (asset_id)
              where duplicates.duplicate_id = any($2) and assets.owner_id = $1
              order by duplicates.asset_id",
        )
        .bind(owner_id)
        .bind(duplicate_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The folders that a person's shown originals lie in, in order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn folders_of(&self, owner_id: Uuid) -> Result<Vec<String>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select folder from read.folders_v1 where owner_id = $1 order by folder collate \"C\"",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's shown assets whose originals lie in a folder, by file name.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_in_folder(
        &self,
        owner_id: Uuid,
        folder: &str,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select assets.*
               from read.folder_assets_v1 as lying
               join read.assets_v1 as assets using (asset_id)
              where lying.owner_id = $1 and lying.folder = $2 and lying.is_shown
              order by assets.original_key collate \"C\"",
        )
        .bind(owner_id)
        .bind(folder)
        .fetch_all(&self.pool)
        .await?)
    }
}
