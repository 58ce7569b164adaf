//! Questions about sidecars.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// Assets whose sidecar has been behind since before an instant, longest first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sidecars_behind(
        &self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.sidecars_v1
              where behind_since <= $1 order by behind_since, asset_id limit $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Assets after one, in order of their ids, with the keys of original and sidecar; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sidecars_after(
        &self,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<(Uuid, Uuid, String, Option<String>)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, owner_id, original_key, sidecar_key from read.assets_v1
              where asset_id > $1 order by asset_id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
