//! Questions about batches.

use uuid::Uuid;

use super::view::BatchRow;
use crate::error::ProjectionError;
use crate::query::Queries;

/// Batches that are listed at once, the newest.
const LISTED_MAX: i64 = 1_000;

impl Queries {
    /// The newest batches of a person, at most 1,000.
    ///
    /// # Errors
    /// What the database said.
    pub async fn batches_of(&self, owner_id: Uuid) -> Result<Vec<BatchRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.batches_v1
              where owner_id = $1
              order by opened_at desc, batch_id
              limit $2",
        )
        .bind(owner_id)
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// One batch.
    ///
    /// # Errors
    /// What the database said.
    pub async fn batch(&self, batch_id: Uuid) -> Result<Option<BatchRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.batches_v1 where batch_id = $1")
            .bind(batch_id)
            .fetch_optional(&self.pool)
            .await?)
    }
}
