//! What a storage template says of an asset is made of these.

use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// What a storage template may speak of.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Placing {
    /// The asset.
    pub asset_id: Uuid,
    /// Its last event that is in here.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: Uuid,
    /// The folder that administrators gave its owner.
    pub storage_label: Option<String>,
    /// Where its original lies.
    pub original_key: String,
    /// The client's name for it; empty when forgotten.
    pub file_name: String,
    /// Whether it is a film.
    pub is_video: bool,
    /// What the clock on the wall showed when it was taken.
    pub local_date_time: NaiveDateTime,
    /// Maker of the camera.
    pub make: Option<String>,
    /// Model of the camera.
    pub model: Option<String>,
    /// Model of the lens.
    pub lens_model: Option<String>,
    /// Name of the newest album with it that its owner has a part in.
    pub album: Option<String>,
    /// When the first of that album was taken.
    pub album_start: Option<NaiveDateTime>,
    /// When the last of it was taken.
    pub album_end: Option<NaiveDateTime>,
}

/// How many originals are still to be moved to where the storage template says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct MovesLeft {
    /// Now, those in hand included.
    pub waiting: i64,
    /// Later: moved, but for their former files.
    pub delayed: i64,
    /// Given up.
    pub failed: i64,
}

impl Queries {
    /// What a storage template may say of an asset; nothing of one that is gone or not known yet.
    ///
    /// # Errors
    /// What the database said.
    pub async fn placing(&self, asset_id: Uuid) -> Result<Option<Placing>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset.asset_id, asset.revision, asset.owner_id, owner.storage_label,
                    asset.original_key, asset.file_name, asset.is_video, asset.local_date_time,
                    asset.make, asset.model, asset.lens_model,
                    album.name as album, album.start_at as album_start, album.end_at as album_end
               from read.assets_v1 as asset
               left join read.users_v1 as owner on owner.user_id = asset.owner_id
               left join lateral (
                    select album.name, kept.start_at, kept.end_at
                      from read.album_assets_v1 as inside
                      join read.album_users_v1 as part
                        on part.album_id = inside.album_id and part.user_id = asset.owner_id
                      join read.albums_v1 as album on album.album_id = inside.album_id
                      left join read.albums_kept_v1 as kept on kept.album_id = inside.album_id
                     where inside.asset_id = asset.asset_id
                     order by album.created_at desc, album.album_id
                     limit 1) as album on true
              where asset.asset_id = $1",
        )
        .bind(asset_id)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// How many originals are still to be moved.
    ///
    /// # Errors
    /// What the database said.
    pub async fn moves_left(&self, now: DateTime<Utc>) -> Result<MovesLeft, ProjectionError> {
        Ok(sqlx::query_as(
            "select count(*) filter (where failed is null and due <= $1) as waiting,
                    count(*) filter (where failed is null and due > $1) as delayed,
                    count(*) filter (where failed is not null) as failed
               from work.original_wishes",
        )
        .bind(now)
        .fetch_one(&self.pool)
        .await?)
    }
}
