//! A row of `batches_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct BatchRow {
    /// Its id.
    pub batch_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: Uuid,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When something happened to it last.
    pub updated_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// When the last part of it was taken back.
    pub rolled_back_at: Option<DateTime<Utc>>,
    /// Assets that it made.
    pub created: i64,
    /// Files whose bytes their owner had before.
    pub duplicates: i64,
    /// Bytes of the assets that it made.
    pub created_bytes: i64,
    /// Albums that it made.
    pub albums: i64,
    /// Tags that it made.
    pub tags: i64,
    /// Times that a file was put into an album.
    pub album_entries: i64,
}
