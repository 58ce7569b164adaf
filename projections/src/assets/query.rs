//! Questions about assets.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::view::{AssetRow, Downloadable};
use crate::error::ProjectionError;
use crate::held_up::held_up_assets;
use crate::query::Queries;

impl Queries {
    /// One asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn asset(&self, asset_id: Uuid) -> Result<Option<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.assets_v1 where asset_id = $1")
            .bind(asset_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// The assets of a list that exist, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets(&self, asset_ids: &[Uuid]) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.assets_v1 where asset_id = any($1)")
            .bind(asset_ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// A person's assets whose SHA-1 (lower-case hex) is any of these: digest, id, whether in the trash.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_by_sha1(
        &self,
        owner_id: Uuid,
        sha1: &[String],
    ) -> Result<Vec<(String, Uuid, bool)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select sha1, asset_id, trashed_at is not null
               from read.assets_v1
              where owner_id = $1 and sha1 = any($2)",
        )
        .bind(owner_id)
        .bind(sha1)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's assets in the trash. What is there only because its file is missing comes back with it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn trash_of(&self, owner_id: Uuid) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.assets_v1 where owner_id = $1 and trashed_at is not null
                and not is_offline",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Assets that have been in the trash since before an instant; at most `limit`. What is missing from a
    /// library is not among them: a disk may lie in a drawer for a year.
    ///
    /// # Errors
    /// What the database said.
    pub async fn trashed_before(
        &self,
        instant: DateTime<Utc>,
        limit: i64,
        (held_assets, held_users): (&[Uuid], &[Uuid]),
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.assets_v1
              where trashed_at < $1 and not is_offline
                and asset_id <> all($3) and owner_id <> all($4)
              order by trashed_at limit $2",
        )
        .bind(instant)
        .bind(limit)
        .bind(held_assets)
        .bind(held_users)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Those of some assets that are behind the PIN.
    ///
    /// # Errors
    /// What the database said.
    pub async fn locked_of(&self, asset_ids: &[Uuid]) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.assets_v1
              where asset_id = any($1) and visibility = 'locked'",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's assets, for the removal of the account; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_of(
        &self,
        owner_id: Uuid,
        limit: i64,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.assets_v1 where owner_id = $1 limit $2")
            .bind(owner_id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// All that a person may download of their own: not the trash, not the films of live photos, and what
    /// is locked only on request. Newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn downloadable_of_user(
        &self,
        owner_id: Uuid,
        with_locked: bool,
    ) -> Result<Vec<Downloadable>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, size_bytes, live_photo_video_id
               from read.assets_v1
              where owner_id = $1 and trashed_at is null and visibility <> 'hidden'
                and ($2 or visibility <> 'locked')
              order by taken_at desc, asset_id",
        )
        .bind(owner_id)
        .bind(with_locked)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's newest assets, without those behind the PIN; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn newest_assets_of(
        &self,
        owner_id: Uuid,
        limit: i64,
    ) -> Result<Vec<AssetRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.assets_v1
              where owner_id = $1 and visibility <> 'locked'
              order by created_at desc, asset_id
              limit $2",
        )
        .bind(owner_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Those of some films that no still has but these.
    ///
    /// # Errors
    /// What the database said.
    pub async fn films_of_only(
        &self,
        film_ids: &[Uuid],
        still_ids: &[Uuid],
    ) -> Result<Vec<Uuid>, ProjectionError> {
        if film_ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(sqlx::query_scalar(
            "select film.asset_id
               from read.assets_v1 as film
              where film.asset_id = any($1)
                and not exists (
                    select from read.assets_v1 as still
                     where still.owner_id = film.owner_id
                       and still.live_photo_video_id = film.asset_id
                       and still.asset_id <> all($2))",
        )
        .bind(film_ids)
        .bind(still_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// All that an album shows to somebody, in the order in which it was put in; not what is others' and may have
    /// been taken away.
    ///
    /// # Errors
    /// What the database said.
    pub async fn downloadable_of_album(
        &self,
        album_id: Uuid,
        viewer_id: Uuid,
    ) -> Result<Vec<Downloadable>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select assets.asset_id, assets.size_bytes, assets.live_photo_video_id
               from read.album_assets_v1 as inside
               join read.assets_v1 as assets using (asset_id)
              where inside.album_id = $1 and inside.shows
                and (assets.owner_id = $2 or assets.asset_id <> all(",
            held_up_assets!(),
            "))
              order by inside.place",
        ))
        .bind(album_id)
        .bind(viewer_id)
        .fetch_all(&self.pool)
        .await?)
    }
}
