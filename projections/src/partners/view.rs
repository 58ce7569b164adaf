//! A row of `partners_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One sharing of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct PartnerRow {
    /// Its id.
    pub partner_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose timeline.
    pub shared_by_id: Uuid,
    /// Who sees it.
    pub shared_with_id: Uuid,
    /// Whether it shows on the timeline of who sees it.
    pub in_timeline: bool,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
