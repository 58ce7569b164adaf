//! A row of `activities_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A comment or a like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct ActivityRow {
    /// Its id.
    pub activity_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// The album.
    pub album_id: Uuid,
    /// One of its assets; nothing for the album as a whole.
    pub asset_id: Option<Uuid>,
    /// Whose it is.
    pub user_id: Uuid,
    /// Whether it is a like.
    pub is_like: bool,
    /// What was said; nothing for a like, and when it is forgotten.
    pub comment: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
