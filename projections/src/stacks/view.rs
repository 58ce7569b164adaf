//! A row of `stacks_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct StackRow {
    /// Its id.
    pub stack_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: Uuid,
    /// The asset that stands for it; none once it is dissolved.
    pub primary_asset_id: Option<Uuid>,
    /// Its assets in order.
    pub asset_ids: Vec<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
