//! A batch as it is shown.

use calotype_projections::batches::BatchRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;

/// A batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchResponseDto {
    id: Uuid,
    /// `open`, `closed` or `rolledBack`.
    status: &'static str,
    opened_at: String,
    updated_at: String,
    #[schema(required)]
    closed_at: Option<String>,
    #[schema(required)]
    rolled_back_at: Option<String>,
    /// Assets that it made.
    created: i64,
    /// Files whose bytes were there before.
    duplicates: i64,
    /// Bytes of the assets that it made.
    created_bytes: i64,
    /// Albums that it made.
    albums: i64,
    /// Tags that it made.
    tags: i64,
    /// Times that a file was put into an album.
    album_entries: i64,
}

impl From<BatchRow> for BatchResponseDto {
    fn from(row: BatchRow) -> Self {
        let status = match (row.rolled_back_at, row.closed_at) {
            (Some(_), _) => "rolledBack",
            (None, Some(_)) => "closed",
            (None, None) => "open",
        };
        Self {
            id: row.batch_id,
            status,
            opened_at: dates::iso(row.opened_at),
            updated_at: dates::iso(row.updated_at),
            closed_at: row.closed_at.map(dates::iso),
            rolled_back_at: row.rolled_back_at.map(dates::iso),
            created: row.created,
            duplicates: row.duplicates,
            created_bytes: row.created_bytes,
            albums: row.albums,
            tags: row.tags,
            album_entries: row.album_entries,
        }
    }
}
