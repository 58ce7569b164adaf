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

/// Which assets a timeline shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketFilter {
    /// Whose.
    pub owner_id: Uuid,
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

impl Queries {
    /// The months and how many assets each holds; a sum of kept counts.
    ///
    /// # Errors
    /// What the database said.
    pub async fn buckets(
        &self,
        filter: &BucketFilter,
    ) -> Result<Vec<BucketCount>, ProjectionError> {
        let sql = match filter.order_by {
            BucketOrder::Taken => {
                "select month, sum(count)::bigint as count
                   from read.timeline_counts_v1
                  where owner_id = $1 and visibility = any($2)
                    and ($3::bool is null or is_favorite = $3) and is_trashed = $4
                  group by month
                 having sum(count) > 0
                  order by month"
            }
            BucketOrder::Created => {
                "select created_month as month, count(*) as count
                   from read.timeline_v1
                  where owner_id = $1 and visibility = any($2)
                    and ($3::bool is null or is_favorite = $3) and is_trashed = $4
                  group by created_month
                  order by created_month"
            }
        };
        let mut months: Vec<BucketCount> = sqlx::query_as(sql)
            .bind(filter.owner_id)
            .bind(&filter.visibilities)
            .bind(filter.is_favorite)
            .bind(filter.is_trashed)
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
        let sql = match filter.order_by {
            BucketOrder::Taken => {
                "select asset_id, owner_id, ratio, is_favorite, visibility, is_trashed, is_video,
                        thumbhash, created_at, taken_at, local_date_time, duration_ms,
                        projection_type, live_photo_video_id, latitude, longitude
                   from read.timeline_v1
                  where owner_id = $1 and month = $5 and visibility = any($2)
                    and ($3::bool is null or is_favorite = $3) and is_trashed = $4
                  order by local_date_time::date, taken_at, asset_id"
            }
            BucketOrder::Created => {
                "select asset_id, owner_id, ratio, is_favorite, visibility, is_trashed, is_video,
                        thumbhash, created_at, taken_at, local_date_time, duration_ms,
                        projection_type, live_photo_video_id, latitude, longitude
                   from read.timeline_v1
                  where owner_id = $1 and created_month = $5 and visibility = any($2)
                    and ($3::bool is null or is_favorite = $3) and is_trashed = $4
                  order by created_at, asset_id"
            }
        };
        let mut cells: Vec<Cells> = sqlx::query_as(sql)
            .bind(filter.owner_id)
            .bind(&filter.visibilities)
            .bind(filter.is_favorite)
            .bind(filter.is_trashed)
            .bind(month)
            .fetch_all(&self.pool)
            .await?;
        if !filter.ascending {
            cells.reverse();
        }
        Ok(cells)
    }
}
