//! Questions about comments and likes. Those about an asset show while it is in the album.

use uuid::Uuid;

use super::view::ActivityRow;
use crate::error::ProjectionError;
use crate::query::Queries;

/// Comments and likes listed at once.
const LISTED_MAX: i64 = 10_000;

/// Which comments and likes of an album; nothing means whichever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Of which album.
    pub album_id: Uuid,
    /// Only about this asset.
    pub asset_id: Option<Uuid>,
    /// Only about the album as a whole.
    pub is_about_album: bool,
    /// Only of this person.
    pub user_id: Option<Uuid>,
    /// Only likes, or only comments.
    pub is_like: Option<bool>,
}

impl Queries {
    /// The comments and likes of an album, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn activities(
        &self,
        filter: &ActivityFilter,
    ) -> Result<Vec<ActivityRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select activities.*
               from read.activities_v1 as activities
               join read.users_v1 as users
                 on users.user_id = activities.user_id and users.deleted_at is null
              where activities.album_id = $1
                and ($2::uuid is null or activities.asset_id = $2)
                and (not $3 or activities.asset_id is null)
                and ($4::uuid is null or activities.user_id = $4)
                and ($5::bool is null or activities.is_like = $5)
                and (activities.asset_id is null or exists (
                    select from read.album_assets_v1 as inside
                     where inside.album_id = activities.album_id
                       and inside.asset_id = activities.asset_id and inside.shows))
              order by activities.created_at, activities.activity_id
              limit $6",
        )
        .bind(filter.album_id)
        .bind(filter.asset_id)
        .bind(filter.is_about_album)
        .bind(filter.user_id)
        .bind(filter.is_like)
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// One comment or like.
    ///
    /// # Errors
    /// What the database said.
    pub async fn activity(
        &self,
        activity_id: Uuid,
    ) -> Result<Option<ActivityRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.activities_v1 where activity_id = $1")
            .bind(activity_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// How many comments and likes an album, or one of its assets, has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn activity_counts(
        &self,
        album_id: Uuid,
        asset_id: Option<Uuid>,
    ) -> Result<(i64, i64), ProjectionError> {
        Ok(sqlx::query_as(
            "select count(*) filter (where not activities.is_like),
                    count(*) filter (where activities.is_like)
               from read.activities_v1 as activities
               join read.users_v1 as users
                 on users.user_id = activities.user_id and users.deleted_at is null
              where activities.album_id = $1
                and ($2::uuid is null or activities.asset_id = $2)
                and (activities.asset_id is null or exists (
                    select from read.album_assets_v1 as inside
                     where inside.album_id = activities.album_id
                       and inside.asset_id = activities.asset_id and inside.shows))",
        )
        .bind(album_id)
        .bind(asset_id)
        .fetch_one(&self.pool)
        .await?)
    }
}
