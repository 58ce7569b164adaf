//! Facts that decide about access: parts in albums, and by which ways a person reaches assets.
//!
//! Where events of an album wait because one could not be applied, nobody has a part in it.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::held_up::held_up;
use crate::query::Queries;

/// A person's part in an album.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AlbumPart {
    /// The album.
    pub album_id: Uuid,
    /// `owner`, `editor` or `viewer`.
    pub role: String,
    /// Whether it takes comments and likes.
    pub is_activity_enabled: bool,
    /// Everybody who has a part in it, and everybody whose assets are in it.
    pub people: Vec<Uuid>,
}

/// By which ways a person reaches an asset.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AssetReach {
    /// The asset.
    pub asset_id: Uuid,
    /// Their parts in albums that hold it.
    pub roles: Vec<String>,
}

impl Queries {
    /// A person's parts in some albums; an album that they have no part in is missing.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album_parts(
        &self,
        user_id: Uuid,
        album_ids: &[Uuid],
    ) -> Result<Vec<AlbumPart>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select parts.album_id, parts.role, albums.is_activity_enabled,
                    albums.member_ids || array(
                        select contributors.user_id
                          from read.album_contributors_v1 as contributors
                         where contributors.album_id = albums.album_id
                           and contributors.user_id <> all (albums.member_ids)
                    ) as people
               from read.album_users_v1 as parts
               join read.albums_v1 as albums using (album_id)
               join read.album_users_v1 as owners
                 on owners.album_id = albums.album_id and owners.is_first_owner
               join read.users_v1 as users
                 on users.user_id = owners.user_id and users.deleted_at is null
              where parts.user_id = $1 and parts.album_id = any($2)
                and not ",
            held_up!("album", "parts.album_id"),
        ))
        .bind(user_id)
        .bind(album_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's parts in the albums that hold some assets, or the still that a film belongs to.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album_reaches(
        &self,
        user_id: Uuid,
        asset_ids: &[Uuid],
    ) -> Result<Vec<AssetReach>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "with inside as (
                select album_id, asset_id from read.album_assets_v1 where asset_id = any($2)
                union all
                select album_id, live_photo_video_id
                  from read.album_assets_v1
                 where live_photo_video_id = any($2) and shows
             )
             select inside.asset_id, array_agg(distinct parts.role) as roles
               from inside
               join read.album_users_v1 as parts
                 on parts.album_id = inside.album_id and parts.user_id = $1
               join read.album_users_v1 as owners
                 on owners.album_id = inside.album_id and owners.is_first_owner
               join read.users_v1 as users
                 on users.user_id = owners.user_id and users.deleted_at is null
              where not ",
            held_up!("album", "inside.album_id"),
            "
              group by inside.asset_id",
        ))
        .bind(user_id)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }
}
