//! Questions about partners. People marked for deletion share nothing and see nothing.

use uuid::Uuid;

use super::view::PartnerRow;
use crate::error::ProjectionError;
use crate::held_up::held_up;
use crate::query::Queries;

impl Queries {
    /// The sharings that a person gives or sees, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn partners_of(&self, user_id: Uuid) -> Result<Vec<PartnerRow>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select partners.*
               from read.partners_v1 as partners
               join read.users_v1 as gives on gives.user_id = partners.shared_by_id
               join read.users_v1 as sees on sees.user_id = partners.shared_with_id
              where (partners.shared_by_id = $1 or partners.shared_with_id = $1)
                and gives.deleted_at is null and sees.deleted_at is null
                and not ",
            held_up!("partner", "partners.partner_id"),
            "
              order by partners.created_at, partners.partner_id",
        ))
        .bind(user_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The sharings that a person gives or sees, those with people marked for deletion included.
    ///
    /// # Errors
    /// What the database said.
    pub async fn all_partners_of(&self, user_id: Uuid) -> Result<Vec<PartnerRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.partners_v1 where shared_by_id = $1 or shared_with_id = $1",
        )
        .bind(user_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Every sharing that a person gives or sees, for the removal of the account.
    ///
    /// # Errors
    /// What the database said.
    pub async fn partner_pairs_of(
        &self,
        user_id: Uuid,
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select shared_by_id, shared_with_id
               from read.partners_v1
              where shared_by_id = $1 or shared_with_id = $1",
        )
        .bind(user_id)
        .fetch_all(&self.pool)
        .await?)
    }
}
