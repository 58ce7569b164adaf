//! A row of `memories_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct MemoryRow {
    /// Its id.
    pub memory_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: Uuid,
    /// The year its assets are from.
    pub year: i32,
    /// The day it tells of.
    pub memory_at: DateTime<Utc>,
    /// From when it shows.
    pub show_at: Option<DateTime<Utc>>,
    /// Until when it shows.
    pub hide_at: Option<DateTime<Utc>>,
    /// When it was looked at.
    pub seen_at: Option<DateTime<Utc>>,
    /// Whether it is kept.
    pub is_saved: bool,
    /// Whether it is deleted; nobody is shown it then.
    pub is_deleted: bool,
    /// Its assets in order.
    pub asset_ids: Vec<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// An asset of a day in an earlier year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OnThisDayAsset {
    /// The year.
    pub year: i32,
    /// The asset.
    pub asset_id: Uuid,
}
