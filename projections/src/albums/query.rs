//! Questions about albums. An album whose owner is marked for deletion is as good as gone, and one of which an
//! event waits shows to nobody.

use uuid::Uuid;

use super::view::{AlbumMarker, AlbumView};
use crate::error::ProjectionError;
use crate::held_up::{held_up, held_up_assets};
use crate::query::Queries;

/// Albums listed at once.
const LISTED_MAX: i64 = 10_000;

/// Which albums of a person are listed; nothing means whichever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlbumFilter {
    /// Only this one.
    pub album_id: Option<Uuid>,
    /// Only those with exactly this name.
    pub name: Option<String>,
    /// Only the person's own, or only others'.
    pub is_owned: Option<bool>,
    /// Only shared ones, or only others.
    pub is_shared: Option<bool>,
    /// Only those that this asset is in.
    pub asset_id: Option<Uuid>,
}

/// How many albums a person has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct AlbumCounts {
    /// Their own.
    pub owned: i64,
    /// Their own that are shared, and others' that are shared with them.
    pub shared: i64,
    /// Their own that are not shared.
    pub not_shared: i64,
}

/// The columns of an [`AlbumView`], of albums whose owner is there.
macro_rules! albums {
    ($rest:literal) => {
        concat!(
            "select albums.album_id, albums.name, albums.description, albums.sort_order,
                    albums.is_activity_enabled, albums.member_ids, albums.member_roles,
                    albums.created_at, albums.updated_at, kept.asset_count, kept.start_at,
                    kept.end_at, kept.assets_changed_at, kept.cover_id
               from read.albums_v1 as albums
               join read.albums_kept_v1 as kept using (album_id)
               join read.album_users_v1 as owners
                 on owners.album_id = albums.album_id and owners.is_first_owner
               join read.users_v1 as users
                 on users.user_id = owners.user_id and users.deleted_at is null
                and not ",
            held_up!("album", "albums.album_id"),
            " ",
            $rest
        )
    };
}

impl Queries {
    /// One album.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album(&self, album_id: Uuid) -> Result<Option<AlbumView>, ProjectionError> {
        Ok(sqlx::query_as(albums!("where albums.album_id = $1"))
            .bind(album_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// The albums of a list that exist, those of people marked for deletion included, and those of which an event
    /// waits not; in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums(&self, album_ids: &[Uuid]) -> Result<Vec<AlbumView>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select albums.album_id, albums.name, albums.description, albums.sort_order,
                    albums.is_activity_enabled, albums.member_ids, albums.member_roles,
                    albums.created_at, albums.updated_at, kept.asset_count, kept.start_at,
                    kept.end_at, kept.assets_changed_at, kept.cover_id
               from read.albums_v1 as albums
               join read.albums_kept_v1 as kept using (album_id)
              where albums.album_id = any($1) and not ",
            held_up!("album", "albums.album_id"),
        ))
        .bind(album_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The albums that a person has a part in, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums_of(
        &self,
        user_id: Uuid,
        filter: &AlbumFilter,
    ) -> Result<Vec<AlbumView>, ProjectionError> {
        Ok(sqlx::query_as(albums!(
            "join read.album_users_v1 as parts
               on parts.album_id = albums.album_id and parts.user_id = $1
            where ($2::uuid is null or albums.album_id = $2)
              and ($3::text is null or albums.name = $3)
              and ($4::bool is null or (parts.role = 'owner') = $4)
              and ($5::bool is null or (cardinality(albums.member_ids) > 1
                    or exists (select from read.shared_links_v1 as link
                                where link.album_id = albums.album_id)) = $5)
              and ($6::uuid is null or exists (
                    select from read.album_assets_v1 as inside
                     where inside.album_id = albums.album_id and inside.asset_id = $6))
            order by albums.created_at desc, albums.album_id
            limit $7"
        ))
        .bind(user_id)
        .bind(filter.album_id)
        .bind(&filter.name)
        .bind(filter.is_owned)
        .bind(filter.is_shared)
        .bind(filter.asset_id)
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// How many albums a person has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album_counts(&self, user_id: Uuid) -> Result<AlbumCounts, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select count(*) filter (where parts.role = 'owner') as owned,
                    count(*) filter (where (cardinality(albums.member_ids) > 1
                    or exists (select from read.shared_links_v1 as link
                                where link.album_id = albums.album_id))) as shared,
                    count(*) filter (where parts.role = 'owner'
                                       and not (cardinality(albums.member_ids) > 1
                    or exists (select from read.shared_links_v1 as link
                                where link.album_id = albums.album_id))) as not_shared
               from read.album_users_v1 as parts
               join read.albums_v1 as albums using (album_id)
               join read.album_users_v1 as owners
                 on owners.album_id = albums.album_id and owners.is_first_owner
               join read.users_v1 as users
                 on users.user_id = owners.user_id and users.deleted_at is null
              where parts.user_id = $1 and not ",
            held_up!("album", "parts.album_id"),
        ))
        .bind(user_id)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Whose assets are in an album, and how many of them; most first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album_contributors(
        &self,
        album_id: Uuid,
    ) -> Result<Vec<(Uuid, i64)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select user_id, asset_count
               from read.album_contributors_v1
              where album_id = $1 and asset_count > 0
              order by asset_count desc, user_id",
        )
        .bind(album_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Where the assets were taken that an album shows to somebody; not those that are others' and may have been
    /// taken away.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album_markers(
        &self,
        album_id: Uuid,
        viewer_id: Uuid,
    ) -> Result<Vec<AlbumMarker>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select assets.asset_id, assets.latitude, assets.longitude,
                    assets.city, assets.state, assets.country
               from read.album_assets_v1 as inside
               join read.assets_v1 as assets using (asset_id)
              where inside.album_id = $1 and inside.shows
                and assets.latitude is not null and assets.longitude is not null
                and (assets.owner_id = $2 or assets.asset_id <> all(",
            held_up_assets!(),
            "))
              order by assets.taken_at desc, assets.asset_id",
        ))
        .bind(album_id)
        .bind(viewer_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The albums that any of some assets is in.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums_with(&self, asset_ids: &[Uuid]) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select distinct album_id from read.album_assets_v1 where asset_id = any($1)",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Which of some assets is in which album.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums_of_each(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, album_id from read.album_assets_v1 where asset_id = any($1)",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whether any of some assets is in an album, whosever.
    ///
    /// # Errors
    /// What the database said.
    pub async fn any_in_albums(&self, asset_ids: &[Uuid]) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select exists (select from unnest($1::uuid[]) as asked (asset_id)
                              join read.album_assets_v1 using (asset_id))",
        )
        .bind(asset_ids)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Which of some assets are in which albums, whosever: album and asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums_holding(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select album_id, asset_id
               from read.album_assets_v1
              where asset_id = any($1)
              order by album_id, asset_id",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// What is behind the PIN and in one of some albums all the same: album and asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn locked_in_albums(
        &self,
        album_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select inside.album_id, inside.asset_id
               from read.album_assets_v1 as inside
               join read.assets_v1 as assets using (asset_id)
              where inside.album_id = any($1) and assets.visibility = 'locked'
              order by inside.album_id, inside.asset_id",
        )
        .bind(album_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Every album that a person has a part in, with the part, for the removal of the account.
    ///
    /// # Errors
    /// What the database said.
    pub async fn album_parts_of(
        &self,
        user_id: Uuid,
    ) -> Result<Vec<(Uuid, String)>, ProjectionError> {
        Ok(sqlx::query_as("select album_id, role from read.album_users_v1 where user_id = $1")
            .bind(user_id)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Those of some assets that are in an album.
    ///
    /// # Errors
    /// What the database said.
    pub async fn inside_album(
        &self,
        album_id: Uuid,
        asset_ids: &[Uuid],
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.album_assets_v1 where album_id = $1 and asset_id = any($2)",
        )
        .bind(album_id)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }
}
