//! The routes of this tag.

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    check_bulk_upload, copy_asset, delete_assets, download_asset, edits, get_asset_info,
    get_asset_ocr, get_asset_statistics, metadata, play_asset_video, run_asset_jobs, stream,
    update_asset, update_assets, upload_asset, view_asset,
};
use crate::state::Api;

/// The routes of this tag. Immich answers `PATCH` beside each `PUT` without documenting it.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(upload_asset::upload_asset))
        .routes(routes!(update_assets::update_assets))
        .routes(routes!(delete_assets::delete_assets))
        .route("/assets", patch(update_assets::update_assets))
        .routes(routes!(copy_asset::copy_asset))
        .routes(routes!(
            metadata::bulk::update_bulk_asset_metadata,
            metadata::bulk::delete_bulk_asset_metadata
        ))
        .routes(routes!(
            metadata::of_asset::get_asset_metadata,
            metadata::of_asset::update_asset_metadata
        ))
        .routes(routes!(
            metadata::by_key::get_asset_metadata_by_key,
            metadata::by_key::delete_asset_metadata
        ))
        .routes(routes!(check_bulk_upload::check_bulk_upload))
        .routes(routes!(run_asset_jobs::run_asset_jobs))
        .routes(routes!(get_asset_statistics::get_asset_statistics))
        .routes(routes!(get_asset_info::get_asset_info))
        .routes(routes!(get_asset_ocr::get_asset_ocr))
        .routes(routes!(update_asset::update_asset))
        .route("/assets/{id}", patch(update_asset::update_asset))
        .routes(routes!(
            edits::get_asset_edits::get_asset_edits,
            edits::edit_asset::edit_asset,
            edits::remove_asset_edits::remove_asset_edits
        ))
        .routes(routes!(download_asset::download_asset))
        .routes(routes!(view_asset::view_asset))
        .routes(routes!(play_asset_video::play_asset_video))
        .routes(routes!(stream::get_main_playlist))
        .routes(routes!(stream::end_session))
        .routes(routes!(stream::get_media_playlist))
        .routes(routes!(stream::get_segment))
}
