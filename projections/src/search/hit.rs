//! What is found, as short as a page needs it whose content is known already.

use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

use super::condition::{OrderColumn, SortKey};
use crate::assets::AssetRow;

/// An asset that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Hit {
    /// Its id.
    pub asset_id: Uuid,
    /// Whose it is.
    pub owner_id: Uuid,
    taken_at: DateTime<Utc>,
    local_date_time: NaiveDateTime,
    size_bytes: i64,
    rating: Option<i32>,
}

/// The columns of a [`Hit`], of `s`.
pub(super) const HIT_COLUMNS: &str =
    "s.asset_id, s.owner_id, s.taken_at, s.local_date_time, s.size_bytes, s.rating";

/// Something that stands at a place in an order.
pub(super) trait Placed {
    /// Where it stands.
    fn hit(&self) -> Hit;
}

impl Placed for Hit {
    fn hit(&self) -> Hit {
        *self
    }
}

impl Placed for AssetRow {
    fn hit(&self) -> Hit {
        Hit {
            asset_id: self.asset_id,
            owner_id: self.owner_id,
            taken_at: self.taken_at,
            local_date_time: self.local_date_time,
            size_bytes: self.size_bytes,
            rating: self.rating,
        }
    }
}

impl OrderColumn {
    /// Where a hit stands in this order.
    pub(super) fn key_of(self, hit: &Hit) -> SortKey {
        let value = match self {
            Self::Taken => hit.taken_at.to_rfc3339(),
            Self::Local => hit.local_date_time.to_string(),
            Self::SizeBytes => hit.size_bytes.to_string(),
            Self::Rating => hit.rating.unwrap_or(UNRATED).to_string(),
        };
        SortKey { value, asset_id: hit.asset_id }
    }
}

/// Stands below every rating.
pub(super) const UNRATED: i32 = -2;
