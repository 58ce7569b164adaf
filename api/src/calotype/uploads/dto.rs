//! An upload as it is shown to those who speak no tus.

use calotype_commands::incoming::UploadRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{bytes, tus};
use crate::dates;

/// An upload.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UploadResponseDto {
    id: Uuid,
    /// Its length in bytes.
    length: u64,
    /// Bytes that have come and are durable.
    offset: u64,
    /// When it is forgotten unless more comes.
    expires_at: String,
    /// `open`; `created`: it is an asset; `duplicate`: its owner had the bytes; `uploaded`: it can be committed in its
    /// batch.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset_id: Option<Uuid>,
}

impl From<UploadRow> for UploadResponseDto {
    fn from(row: UploadRow) -> Self {
        let status = match (row.finished_at, row.asset_id) {
            (None, _) => "open",
            (Some(_), Some(_)) => tus::became(&row),
            (Some(_), None) => "uploaded",
        };
        Self {
            id: row.upload_id,
            length: bytes(row.length_bytes),
            offset: bytes(row.offset_bytes),
            expires_at: dates::iso(row.expires_at),
            status,
            asset_id: row.asset_id,
        }
    }
}
