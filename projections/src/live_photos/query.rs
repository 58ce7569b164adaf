//! Questions about stills and films that may belong together.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// The last event of an asset that the pairs have heard of; `None` when there is no such asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn live_photo_revision(
        &self,
        asset_id: Uuid,
    ) -> Result<Option<i64>, ProjectionError> {
        Ok(sqlx::query_scalar("select revision from read.live_photos_v1 where asset_id = $1")
            .bind(asset_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Stills that have no film, each with one that carries the same identifier and belongs to no still; at
    /// most `limit`. With `of` only the pairs that one asset is a half of. What is behind the PIN is paired
    /// with what is behind it too, and nothing with what was taken away from it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn live_pairs(
        &self,
        of: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select distinct on (still.asset_id) still.asset_id, film.asset_id
               from read.live_photos_v1 as still
               join read.live_photos_v1 as film
                 on film.owner_id = still.owner_id and film.content_id = still.content_id
                and film.is_video and film.is_locked = still.is_locked
              where not still.is_video and still.film_id is null and still.content_id is not null
                and not still.is_trashed and not film.is_trashed
                and film.asset_id <> all(still.unlinked)
                and ($1::uuid is null or still.asset_id = $1 or film.asset_id = $1)
                and not exists (
                    select from read.live_photos_v1 as other where other.film_id = film.asset_id)
              order by still.asset_id, film.asset_id
              limit $2",
        )
        .bind(of)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Stills whose file holds a film that is no asset of its own yet; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stills_with_films_inside(&self, limit: i64) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.live_photos_v1
              where has_film_inside and film_id is null and unlinked = '{}'
              order by asset_id limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The stills that a film belongs to.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stills_of_film(&self, film_id: Uuid) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar("select asset_id from read.live_photos_v1 where film_id = $1")
            .bind(film_id)
            .fetch_all(&self.pool)
            .await?)
    }
}
