//! Questions about API keys.

use uuid::Uuid;

use super::view::ApiKeyRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// The key whose secret has this SHA-256 (hex).
    ///
    /// # Errors
    /// What the database said.
    pub async fn api_key_by_secret(
        &self,
        secret_sha256: &str,
    ) -> Result<Option<ApiKeyRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.api_keys_v1 as key where secret_sha256 = $1 and not exists (
                 select from work.parked
                  where kind = 'projection' and name = 'api_keys_v1'
                    and stream_id = 'api_key-' || key.api_key_id)",
        )
        .bind(secret_sha256)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// A person's keys, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn api_keys_of(&self, user_id: Uuid) -> Result<Vec<ApiKeyRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.api_keys_v1
              where user_id = $1
              order by created_at desc, api_key_id",
        )
        .bind(user_id)
        .fetch_all(&self.pool)
        .await?)
    }
}
