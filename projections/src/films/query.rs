//! Questions about films.

use std::collections::HashMap;

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// Key of the copy of a film that every player shows, where there is one.
    ///
    /// # Errors
    /// What the database said.
    pub async fn encoded_film(&self, asset_id: Uuid) -> Result<Option<String>, ProjectionError> {
        let found: Option<Option<String>> =
            sqlx::query_scalar("select encoded_key from read.films_v1 where asset_id = $1")
                .bind(asset_id)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.flatten())
    }

    /// Keys of the copies of some films, of those that have one.
    ///
    /// # Errors
    /// What the database said.
    pub async fn encoded_films(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<HashMap<Uuid, String>, ProjectionError> {
        if asset_ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found: Vec<(Uuid, String)> = sqlx::query_as(
            "select asset_id, encoded_key from read.films_v1
              where asset_id = any($1) and encoded_key is not null",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(found.into_iter().collect())
    }

    /// The films after the given id, in the order of ids: all, or those without a copy.
    ///
    /// # Errors
    /// What the database said.
    pub async fn films_after(
        &self,
        after: Uuid,
        only_without_copy: bool,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        let sql = if only_without_copy {
            "select asset_id from read.films_v1
              where asset_id > $1 and encoded_key is null
              order by asset_id limit $2"
        } else {
            "select asset_id from read.films_v1 where asset_id > $1 order by asset_id limit $2"
        };
        Ok(sqlx::query_scalar(sql).bind(after).bind(limit).fetch_all(&self.pool).await?)
    }

    /// Whether an asset still waits for a step.
    ///
    /// # Errors
    /// What the database said.
    pub async fn waits_for(&self, asset_id: Uuid, stage: &str) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select exists (select from read.jobs_v2
                             where asset_id = $1 and waiting @> array[$2])",
        )
        .bind(asset_id)
        .bind(stage)
        .fetch_one(&self.pool)
        .await?)
    }
}
