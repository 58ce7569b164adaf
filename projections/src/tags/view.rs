//! A row of `tags_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct TagRow {
    /// Its id.
    pub tag_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: Uuid,
    /// The tag it stands under.
    pub parent_id: Option<Uuid>,
    /// Its whole path.
    pub value: String,
    /// Its colour.
    pub color: Option<String>,
    /// Whether it is deleted; nobody is shown it then.
    pub is_deleted: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TagRow {
    /// The last part of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.value.rsplit('/').next().unwrap_or_default()
    }
}
