//! Questions about shared links.

use uuid::Uuid;

use super::apply::digest;
use super::view::{LinkedAsset, SharedLinkRow};
use crate::error::ProjectionError;
use crate::held_up::{held_up, held_up_assets};
use crate::query::Queries;

/// SQL: that the owner of `link` may show the asset called `$asset` to others now: it is theirs, or of somebody
/// whose partner they are and shows on that person's timeline.
macro_rules! may_show {
    ($asset:literal) => {
        concat!(
            "(",
            $asset,
            ".owner_id = link.owner_id
                    or ",
            $asset,
            ".visibility in ('timeline', 'hidden') and exists (
                    select from read.partners_v1 as pair
                      join read.users_v1 as gives
                        on gives.user_id = pair.shared_by_id and gives.deleted_at is null
                     where pair.shared_by_id = ",
            $asset,
            ".owner_id
                       and pair.shared_with_id = link.owner_id
                       and not ",
            held_up!("partner", "pair.partner_id"),
            "))
                and ",
            $asset,
            ".trashed_at is null
                and ",
            $asset,
            ".visibility <> 'locked'
                and ",
            $asset,
            ".asset_id <> all(",
            held_up_assets!(),
            ")
                and not ",
            held_up!("shared_link", "link.shared_link_id")
        )
    };
}

impl Queries {
    /// The link with this key, in base64url; it may be over. One of which an event waits is not found.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shared_link_by_key(
        &self,
        key: &str,
    ) -> Result<Option<SharedLinkRow>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select * from read.shared_links_v1 as link where key_sha256 = $1 and not ",
            held_up!("shared_link", "link.shared_link_id")
        ))
        .bind(digest(key))
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The link with this slug; it may be over. One of which an event waits is not found.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shared_link_by_slug(
        &self,
        slug: &str,
    ) -> Result<Option<SharedLinkRow>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select * from read.shared_links_v1 as link where slug = $1 and not ",
            held_up!("shared_link", "link.shared_link_id")
        ))
        .bind(slug)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// One link.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shared_link(
        &self,
        shared_link_id: Uuid,
    ) -> Result<Option<SharedLinkRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.shared_links_v1 where shared_link_id = $1")
            .bind(shared_link_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// A person's links, newest first; only those to one album, or only one, when that is asked for.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shared_links_of(
        &self,
        owner_id: Uuid,
        album_id: Option<Uuid>,
        shared_link_id: Option<Uuid>,
    ) -> Result<Vec<SharedLinkRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.shared_links_v1
              where owner_id = $1
                and ($2::uuid is null or album_id = $2)
                and ($3::uuid is null or shared_link_id = $3)
              order by created_at desc, shared_link_id",
        )
        .bind(owner_id)
        .bind(album_id)
        .bind(shared_link_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The assets that links show one by one, oldest first: at most `each` of a link, and none from the
    /// trash or from behind a PIN, or that their owner shows to whoever made the link no more.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_of_links(
        &self,
        shared_link_ids: &[Uuid],
        each: i64,
    ) -> Result<Vec<LinkedAsset>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            "select shown.*
               from unnest($1::uuid[]) as wanted (link_id),
                    lateral (
                        select linked.shared_link_id, asset.*
                          from read.shared_link_assets_v1 linked
                          join read.shared_links_v1 link using (shared_link_id)
                          join read.assets_v1 asset using (asset_id)
                         where linked.shared_link_id = wanted.link_id and ",
            may_show!("asset"),
            "
                         order by asset.taken_at, asset.asset_id
                         limit $2
                    ) as shown",
        ))
        .bind(shared_link_ids)
        .bind(each)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Which of some assets a link's own rows name.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_in_link(
        &self,
        shared_link_id: Uuid,
        asset_ids: &[Uuid],
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.shared_link_assets_v1
              where shared_link_id = $1 and asset_id = any($2)",
        )
        .bind(shared_link_id)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// What is behind the PIN and named by one of some links all the same: the link's owner, link and asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn locked_in_links(
        &self,
        shared_link_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select link.owner_id, link.shared_link_id, linked.asset_id
               from read.shared_link_assets_v1 as linked
               join read.shared_links_v1 as link using (shared_link_id)
               join read.assets_v1 as assets using (asset_id)
              where linked.shared_link_id = any($1) and assets.visibility = 'locked'
              order by link.shared_link_id, linked.asset_id",
        )
        .bind(shared_link_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's links that show an asset by itself.
    ///
    /// # Errors
    /// What the database said.
    pub async fn links_showing(
        &self,
        owner_id: Uuid,
        asset_id: Uuid,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select link.shared_link_id
               from read.shared_link_assets_v1 as shown
               join read.shared_links_v1 as link using (shared_link_id)
              where shown.asset_id = $2 and link.owner_id = $1
              order by link.shared_link_id",
        )
        .bind(owner_id)
        .bind(asset_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Which of some assets a link reaches: those that it or its album shows, and the films of those stills.
    /// Where events of the link or of its album wait because one could not be applied, it reaches none, and an
    /// asset of which an event waits is reached by none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_reached_by_link(
        &self,
        shared_link_id: Uuid,
        asset_ids: &[Uuid],
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(concat!(
            "select linked.asset_id
               from read.shared_link_assets_v1 linked
               join read.shared_links_v1 link using (shared_link_id)
               join read.assets_v1 asset using (asset_id)
              where linked.shared_link_id = $1
                and linked.asset_id = any($2)
                and ",
            may_show!("asset"),
            "
             union
             select still.live_photo_video_id
               from read.shared_link_assets_v1 linked
               join read.shared_links_v1 link using (shared_link_id)
               join read.assets_v1 still using (asset_id)
              where linked.shared_link_id = $1
                and still.live_photo_video_id = any($2)
                and still.live_photo_video_id <> all(",
            held_up_assets!(),
            ")
                and ",
            may_show!("still"),
            "
             union
             select reached.asset_id
               from read.shared_links_v1 link
               join read.album_assets_v1 inside using (album_id),
                    lateral (
                        values (inside.asset_id, true),
                               (inside.live_photo_video_id, inside.shows)
                    ) as reached (asset_id, is_shown)
              where link.shared_link_id = $1
                and (inside.asset_id = any($2) or inside.live_photo_video_id = any($2))
                and reached.asset_id = any($2)
                and reached.is_shown
                and inside.asset_id <> all(",
            held_up_assets!(),
            ")
                and reached.asset_id <> all(",
            held_up_assets!(),
            ")
                and exists (
                    select from read.album_users_v1 as part
                     where part.album_id = link.album_id
                       and part.user_id = link.owner_id
                       and part.role in ('owner', 'editor'))
                and not ",
            held_up!("album", "link.album_id"),
            "
                and not ",
            held_up!("shared_link", "link.shared_link_id"),
        ))
        .bind(shared_link_id)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The links to an album, whosever.
    ///
    /// # Errors
    /// What the database said.
    pub async fn links_to_album(
        &self,
        album_id: Uuid,
    ) -> Result<Vec<SharedLinkRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.shared_links_v1 where album_id = $1")
            .bind(album_id)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Which of some albums have a link.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums_with_links(
        &self,
        album_ids: &[Uuid],
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select distinct album_id from read.shared_links_v1 where album_id = any($1)",
        )
        .bind(album_ids)
        .fetch_all(&self.pool)
        .await?)
    }
}
