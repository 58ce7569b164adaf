//! Questions about the timeline.

use chrono::NaiveDate;
use uuid::Uuid;

use super::view::{BucketCount, Cells};
use crate::error::ProjectionError;
use crate::query::Queries;

/// By which date months are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BucketOrder {
    /// When it was taken.
    #[default]
    Taken,
    /// When it was uploaded.
    Created,
}

/// Which assets a timeline shows. Whether the viewer may see them was decided before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketFilter {
    /// For whom: only their own assets are favorites, and only theirs show from the trash.
    pub viewer_id: Uuid,
    /// Whose; with an album nobody named means whosever.
    pub owner_ids: Vec<Uuid>,
    /// Only what is in this album.
    pub album_id: Option<Uuid>,
    /// Immich's words for where they show.
    pub visibilities: Vec<String>,
    /// Only favorites, or only others.
    pub is_favorite: Option<bool>,
    /// In the trash, or not.
    pub is_trashed: bool,
    /// By which date months are cut.
    pub order_by: BucketOrder,
    /// Oldest first.
    pub ascending: bool,
}

/// The columns of [`Cells`], from a table called `shown`.
macro_rules! cells {
    ($rest:expr) => {
        concat!(
            "select shown.asset_id, shown.owner_id, shown.ratio,
                    shown.is_favorite and shown.owner_id = $1 as is_favorite, shown.visibility,
                    shown.is_trashed, shown.is_video, shown.thumbhash, shown.created_at,
                    shown.taken_at, shown.local_date_time, shown.duration_ms,
                    shown.projection_type, shown.live_photo_video_id, shown.latitude,
                    shown.longitude, shown.city, shown.country
               from ",
            $rest
        )
    };
}

/// What both timelines and albums filter by, of a table called `shown`.
macro_rules! shows {
    () => {
        "shown.visibility = any($3)
                and ($4::bool is null or (shown.is_favorite and shown.owner_id = $1) = $4)
                and shown.is_trashed = $5 and (not $5 or shown.owner_id = $1)"
    };
}

/// Assets of an album called `$6`, of certain people where any are named.
macro_rules! of_album {
    () => {
        "read.album_assets_v1 as inside
               join read.timeline_v1 as shown using (asset_id)
              where inside.album_id = $6
                and (cardinality($2::uuid[]) = 0 or shown.owner_id = any($2)) and "
    };
}

impl Queries {
    /// The months and how many assets each holds; where no album is asked for, a sum of kept counts.
    ///
    /// # Errors
    /// What the database said.
    pub async fn buckets(
        &self,
        filter: &BucketFilter,
    ) -> Result<Vec<BucketCount>, ProjectionError> {
        let sql = match (filter.order_by, filter.album_id) {
            (BucketOrder::Taken, None) => concat!(
                "select month, sum(count)::bigint as count
                   from read.timeline_counts_v1 as shown
                  where $6::uuid is null and owner_id = any($2) and ",
                shows!(),
                " group by month
                 having sum(count) > 0
                  order by month"
            ),
            (BucketOrder::Created, None) => concat!(
                "select created_month as month, count(*) as count
                   from read.timeline_v1 as shown
                  where $6::uuid is null and owner_id = any($2) and ",
                shows!(),
                " group by created_month
                  order by created_month"
            ),
            (BucketOrder::Taken, Some(_)) => concat!(
                "select shown.month, count(*) as count from ",
                of_album!(),
                shows!(),
                " group by shown.month
                  order by shown.month"
            ),
            (BucketOrder::Created, Some(_)) => concat!(
                "select shown.created_month as month, count(*) as count from ",
                of_album!(),
                shows!(),
                " group by shown.created_month
                  order by shown.created_month"
            ),
        };
        let mut months: Vec<BucketCount> = sqlx::query_as(sql)
            .bind(filter.viewer_id)
            .bind(&filter.owner_ids)
            .bind(&filter.visibilities)
            .bind(filter.is_favorite)
            .bind(filter.is_trashed)
            .bind(filter.album_id)
            .fetch_all(&self.pool)
            .await?;
        if !filter.ascending {
            months.reverse();
        }
        Ok(months)
    }

    /// The assets of one month, in the order of the answer: by local day, then by instant.
    ///
    /// # Errors
    /// What the database said.
    pub async fn bucket(
        &self,
        filter: &BucketFilter,
        month: NaiveDate,
    ) -> Result<Vec<Cells>, ProjectionError> {
        let sql = match (filter.order_by, filter.album_id) {
            (BucketOrder::Taken, None) => concat!(
                cells!("read.timeline_v1 as shown where $6::uuid is null and "),
                "shown.owner_id = any($2) and shown.month = $7 and ",
                shows!(),
                " order by shown.local_date_time::date, shown.taken_at, shown.asset_id"
            ),
            (BucketOrder::Created, None) => concat!(
                cells!("read.timeline_v1 as shown where $6::uuid is null and "),
                "shown.owner_id = any($2) and shown.created_month = $7 and ",
                shows!(),
                " order by shown.created_at, shown.asset_id"
            ),
            (BucketOrder::Taken, Some(_)) => concat!(
                cells!(""),
                of_album!(),
                "inside.month = $7 and shown.month = $7 and ",
                shows!(),
                " order by shown.local_date_time::date, shown.taken_at, shown.asset_id"
            ),
            (BucketOrder::Created, Some(_)) => concat!(
                cells!(""),
                of_album!(),
                "shown.created_month = $7 and ",
                shows!(),
                " order by shown.created_at, shown.asset_id"
            ),
        };
        let mut cells: Vec<Cells> = sqlx::query_as(sql)
            .bind(filter.viewer_id)
            .bind(&filter.owner_ids)
            .bind(&filter.visibilities)
            .bind(filter.is_favorite)
            .bind(filter.is_trashed)
            .bind(filter.album_id)
            .bind(month)
            .fetch_all(&self.pool)
            .await?;
        if !filter.ascending {
            cells.reverse();
        }
        Ok(cells)
    }
}
