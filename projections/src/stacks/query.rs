//! Questions about stacks.

use uuid::Uuid;

use super::view::StackRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// The stacks of a list that are not dissolved, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stacks(&self, stack_ids: &[Uuid]) -> Result<Vec<StackRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.stacks_v1
              where stack_id = any($1) and primary_asset_id is not null",
        )
        .bind(stack_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The stacks that some assets are in: asset and stack.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stacks_with(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, stack_id from read.stack_assets_v1 where asset_id = any($1)",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whose a stack is, or was.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stack_owner(&self, stack_id: Uuid) -> Result<Option<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar("select owner_id from read.stacks_v1 where stack_id = $1")
            .bind(stack_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// A person's stacks, oldest first; only the one that an asset stands for, where one is named.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stacks_of(
        &self,
        owner_id: Uuid,
        primary_asset_id: Option<Uuid>,
    ) -> Result<Vec<StackRow>, ProjectionError> {
        let sql = match primary_asset_id {
            None => {
                "select * from read.stacks_v1
                  where owner_id = $1 and primary_asset_id is not null and $2::uuid is null
                  order by created_at, stack_id"
            }
            Some(_) => "select * from read.stacks_v1 where owner_id = $1 and primary_asset_id = $2",
        };
        Ok(sqlx::query_as(sql).bind(owner_id).bind(primary_asset_id).fetch_all(&self.pool).await?)
    }
}
