//! Questions about days.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// By which day assets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeatmapKind {
    /// By the day they were uploaded, UTC.
    Upload,
    /// By the day they were taken, on the photographer's calendar.
    Taken,
}

impl HeatmapKind {
    /// The word used in storage and by Immich.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "Upload",
            Self::Taken => "Taken",
        }
    }
}

impl Queries {
    /// Days of a person on which there was something, oldest first, both ends included.
    ///
    /// # Errors
    /// What the database said.
    pub async fn heatmap(
        &self,
        owner_id: Uuid,
        kind: HeatmapKind,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<(NaiveDate, i64)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select day, count from read.heatmap_v1
              where owner_id = $1 and kind = $2 and day between $3 and $4
              order by day",
        )
        .bind(owner_id)
        .bind(kind.as_str())
        .bind(from)
        .bind(to)
        .fetch_all(&self.pool)
        .await?)
    }
}
