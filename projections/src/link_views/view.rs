//! A row of `link_views_v3`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One visitor's hour with a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct LinkViewRow {
    /// Its id.
    pub link_view_id: Uuid,
    /// The link.
    pub shared_link_id: Uuid,
    /// Whose link it is.
    pub owner_id: Uuid,
    /// The hour, by its first instant.
    pub hour: DateTime<Utc>,
    /// When they looked first in that hour.
    pub viewed_at: DateTime<Utc>,
    /// From which address; nothing when it is not known, or forgotten.
    pub address: Option<String>,
    /// Browser or model.
    pub device_type: String,
    /// Operating system.
    pub device_os: String,
}
