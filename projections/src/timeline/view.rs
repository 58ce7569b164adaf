//! Rows of `timeline_v2` and what a bucket is made of.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One asset on the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct TimelineRow {
    pub(crate) asset_id: Uuid,
    pub(crate) revision: i64,
    pub(crate) owner_id: Uuid,
    /// First day of the month it was taken in, by the photographer's wall clock.
    pub(crate) month: NaiveDate,
    /// First day of the month it was uploaded in.
    pub(crate) created_month: NaiveDate,
    pub(crate) local_date_time: NaiveDateTime,
    pub(crate) taken_at: DateTime<Utc>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) visibility: String,
    pub(crate) is_favorite: bool,
    pub(crate) is_trashed: bool,
    pub(crate) is_video: bool,
    pub(crate) date_by_person: bool,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) live_photo_video_id: Option<Uuid>,
    pub(crate) projection_type: Option<String>,
    /// Width by height as shown, rounded to three digits.
    pub(crate) ratio: f64,
    pub(crate) thumbhash: Option<String>,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
    pub(crate) position_by_person: bool,
    pub(crate) city: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) stack_id: Option<Uuid>,
    /// Whether it is in a stack that another asset stands for.
    pub(crate) is_under: bool,
    /// Of the edited photo, where it is edited.
    pub(crate) edited_ratio: Option<f64>,
    pub(crate) edited_thumbhash: Option<String>,
}

/// Where one asset shows and when it was taken: what is asked of all of a library at once.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Placed {
    pub(crate) asset_id: Uuid,
    pub(crate) revision: i64,
    pub(crate) owner_id: Uuid,
    pub(crate) visibility: String,
    pub(crate) is_trashed: bool,
    pub(crate) is_favorite: bool,
    pub(crate) is_video: bool,
    pub(crate) is_under: bool,
    pub(crate) local_date_time: NaiveDateTime,
    pub(crate) taken_at: DateTime<Utc>,
}

/// A month and how many assets it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct BucketCount {
    /// First day of the month.
    pub month: NaiveDate,
    /// Assets in it.
    pub count: i64,
}

/// The cells of one asset in a bucket's columns.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Cells {
    /// The asset.
    pub asset_id: Uuid,
    /// Whose it is.
    pub owner_id: Uuid,
    /// Width by height as shown.
    pub ratio: f64,
    /// The favorite mark.
    pub is_favorite: bool,
    /// Immich's word for where it shows.
    pub visibility: String,
    /// Whether it is in the trash.
    pub is_trashed: bool,
    /// Whether it is a film.
    pub is_video: bool,
    /// Base64 of the thumbhash.
    pub thumbhash: Option<String>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
    /// The photographer's wall clock then.
    pub local_date_time: NaiveDateTime,
    /// Length of a film.
    pub duration_ms: Option<i64>,
    /// Projection of a 360 degree picture.
    pub projection_type: Option<String>,
    /// The film that belongs to a still.
    pub live_photo_video_id: Option<Uuid>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// The nearest city to the position.
    pub city: Option<String>,
    /// The country of the position.
    pub country: Option<String>,
    /// The stack it is in, when stacks were asked for.
    pub stack_id: Option<Uuid>,
    /// Assets of the stack that are not in the trash.
    pub stack_count: Option<i64>,
}
