//! Questions about accounts.

use uuid::Uuid;

use super::view::UserRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// One account, deleted ones included.
    ///
    /// # Errors
    /// What the database said.
    pub async fn user(&self, user_id: Uuid) -> Result<Option<UserRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.users_v1 as account where user_id = $1 and not exists (
                 select from work.parked
                  where kind = 'projection' and name = 'users_v1'
                    and stream_id = 'user-' || account.user_id)",
        )
        .bind(user_id)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The account that logs in with this address (lower case), unless it is deleted or parked.
    ///
    /// # Errors
    /// What the database said.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.users_v1 as account
              where email = $1 and deleted_at is null and not exists (
                    select from work.parked
                     where kind = 'projection' and name = 'users_v1'
                       and stream_id = 'user-' || account.user_id)",
        )
        .bind(email)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Every account, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn users(&self, with_deleted: bool) -> Result<Vec<UserRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.users_v1
              where $1 or deleted_at is null
              order by created_at desc, user_id",
        )
        .bind(with_deleted)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whether an administrator exists.
    ///
    /// # Errors
    /// What the database said.
    pub async fn has_admin(&self) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar("select exists (select from read.users_v1 where is_admin)")
            .fetch_one(&self.pool)
            .await?)
    }

    /// Some accounts, those that are marked for deletion left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn accounts(&self, user_ids: &[Uuid]) -> Result<Vec<UserRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.users_v1 where user_id = any($1) and deleted_at is null",
        )
        .bind(user_ids)
        .fetch_all(&self.pool)
        .await?)
    }
}
