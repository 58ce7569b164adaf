//! An asset as shared links show it: with Postgres' spelling of times as Immich has it there, or, where a
//! link hides metadata, only what a picture cannot be shown without.

use calotype_projections::assets::AssetRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{ExifResponseDto, checksum, mime, shown_path, shown_size, type_word};
use crate::dates;

/// How much of an asset is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkedDetail {
    /// Everything but what the file says about itself.
    Plain,
    /// Everything.
    WithExif,
    /// What a picture cannot be shown without.
    Hidden,
}

/// An asset of a link.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum LinkedAssetDto {
    /// To its owner, and to visitors who see metadata.
    Open(Box<OpenAssetDto>),
    /// To visitors who do not.
    Bare(BareAssetDto),
}

impl LinkedAssetDto {
    /// Of a row.
    pub(crate) fn new(row: AssetRow, detail: LinkedDetail) -> Self {
        match detail {
            LinkedDetail::Hidden => Self::Bare(BareAssetDto::of(&row)),
            LinkedDetail::Plain => Self::Open(Box::new(OpenAssetDto::of(row, false))),
            LinkedDetail::WithExif => Self::Open(Box::new(OpenAssetDto::of(row, true))),
        }
    }
}

/// What a picture cannot be shown without.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BareAssetDto {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    original_mime_type: &'static str,
    thumbhash: Option<String>,
    local_date_time: String,
    duration: Option<i64>,
    live_photo_video_id: Option<Uuid>,
    has_metadata: bool,
    width: Option<i32>,
    height: Option<i32>,
}

impl BareAssetDto {
    /// Of a row.
    pub(crate) fn of(row: &AssetRow) -> Self {
        let (width, height) = shown_size(row);
        Self {
            id: row.asset_id,
            kind: type_word(row.is_video),
            original_mime_type: mime(&row.file_name),
            thumbhash: row.shown_thumbhash(),
            local_date_time: dates::iso_local(row.local_date_time),
            duration: row.duration_ms,
            live_photo_video_id: row.live_photo_video_id,
            has_metadata: false,
            width,
            height,
        }
    }
}

/// An asset with its names and times.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenAssetDto {
    id: Uuid,
    created_at: String,
    owner_id: Uuid,
    library_id: Option<Uuid>,
    #[serde(rename = "type")]
    kind: &'static str,
    original_path: String,
    original_file_name: String,
    original_mime_type: &'static str,
    thumbhash: Option<String>,
    file_created_at: String,
    file_modified_at: String,
    local_date_time: String,
    updated_at: String,
    is_favorite: bool,
    is_archived: bool,
    is_trashed: bool,
    visibility: String,
    duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exif_info: Option<ExifResponseDto>,
    live_photo_video_id: Option<Uuid>,
    people: Vec<serde_json::Value>,
    checksum: String,
    is_offline: bool,
    has_metadata: bool,
    duplicate_id: Option<Uuid>,
    resized: bool,
    width: Option<i32>,
    height: Option<i32>,
    is_edited: bool,
}

impl OpenAssetDto {
    fn of(row: AssetRow, with_exif: bool) -> Self {
        let row = row.as_seen_by_others();
        let (width, height) = shown_size(&row);
        Self {
            id: row.asset_id,
            created_at: dates::postgres(row.created_at),
            owner_id: row.owner_id,
            library_id: row.library_id,
            kind: type_word(row.is_video),
            original_path: shown_path(&row),
            original_file_name: row.file_name.clone(),
            original_mime_type: mime(&row.file_name),
            thumbhash: row.shown_thumbhash(),
            file_created_at: dates::postgres(row.taken_at),
            file_modified_at: dates::postgres(row.file_modified_at),
            local_date_time: dates::postgres(row.local_date_time.and_utc()),
            updated_at: dates::postgres(row.updated_at),
            // What the owner likes is no visitor's business.
            is_favorite: false,
            is_archived: row.visibility == "archive",
            is_trashed: row.trashed_at.is_some(),
            visibility: row.visibility.clone(),
            duration: row.duration_ms,
            live_photo_video_id: row.live_photo_video_id,
            people: Vec::new(),
            checksum: checksum(&row.sha1),
            is_offline: row.is_offline,
            has_metadata: true,
            duplicate_id: None,
            resized: true,
            width,
            height,
            is_edited: !row.edits().is_empty(),
            exif_info: with_exif.then(|| ExifResponseDto::of(row)),
        }
    }
}

/// The name of a file whose own name is hidden: its id, and what kind it is.
pub(crate) fn bare_name(asset_id: Uuid, file_name: &str) -> String {
    match file_name.rsplit_once('.') {
        Some((_, extension)) if extension.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!("{asset_id}.{}", extension.to_ascii_lowercase())
        }
        _ => asset_id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dto::tests::row;
    use super::*;

    #[test]
    fn hidden_metadata_is_nowhere_in_the_answer() {
        let hidden = serde_json::to_string(&LinkedAssetDto::new(row(), LinkedDetail::Hidden));
        let hidden = hidden.unwrap();
        for word in ["cyclamen", "upload/", "FUJIFILM", "description", "ownerId", "checksum"] {
            assert!(!hidden.contains(word), "{word} in {hidden}");
        }
    }

    #[test]
    fn hidden_name_keeps_its_kind() {
        let id = Uuid::from_u128(1);
        assert_eq!(bare_name(id, "My Wedding.JPG"), format!("{id}.jpg"));
        assert_eq!(bare_name(id, "README"), id.to_string());
        assert_eq!(bare_name(id, "a.b c"), id.to_string());
    }
}
