//! Assets: uploading, reading, changing, deleting, and their files.

pub(crate) mod again;
pub(crate) mod cache;
pub(crate) mod change;
mod check_bulk_upload;
mod copy_asset;
pub(crate) mod date_change;
pub(crate) mod delete_assets;
mod download_asset;
pub(crate) mod dto;
pub(crate) mod edits;
mod films;
mod get_asset_info;
pub(crate) mod get_asset_ocr;
mod get_asset_statistics;
pub(crate) mod linked;
mod metadata;
pub(crate) mod names;
pub(crate) mod owners;
pub(crate) mod pace;
pub(crate) mod pieces;
pub(crate) mod place;
mod play_asset_video;
mod pressure;
pub(crate) mod receive;
pub(crate) mod reserve;
mod routes;
mod run_asset_jobs;
mod shards;
mod stream;
pub(crate) mod sums;
pub(crate) mod update_asset;
mod update_assets;
pub(crate) mod upload_asset;
pub(crate) mod uploads;
mod view_asset;
pub(crate) mod wish;
mod words;

pub(crate) use download_asset::edited_name;
pub(crate) use dto::hex;
pub(crate) use routes::routes;
pub(crate) use view_asset::written_as;
pub(crate) use words::{VISIBILITIES, visibility};

/// Reads a zone, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_zone(text: &str) {
    std::hint::black_box(date_change::Zone::parse(text).is_some());
}
