//! Questions about PINs.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// The hash of a person's PIN, when one is set.
    ///
    /// # Errors
    /// What the database said.
    pub async fn pin_hash_of(&self, user_id: Uuid) -> Result<Option<String>, ProjectionError> {
        let found: Option<Option<String>> =
            sqlx::query_scalar("select pin_hash from read.pins_v1 where user_id = $1")
                .bind(user_id)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.flatten())
    }
}
