//! Tag `Albums`.

mod add_assets;
mod create_album;
mod delete_album;
pub(crate) mod dto;
mod get_album_info;
mod get_album_map_markers;
mod get_album_statistics;
mod get_all_albums;
pub(crate) mod lists;
pub(crate) mod locked;
mod remove_assets;
mod update_album_info;
mod users;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_all_albums::get_all_albums, create_album::create_album))
        .routes(routes!(add_assets::add_assets_to_albums))
        .routes(routes!(get_album_statistics::get_album_statistics))
        .routes(routes!(
            get_album_info::get_album_info,
            update_album_info::update_album_info,
            delete_album::delete_album
        ))
        .routes(routes!(add_assets::add_assets_to_album, remove_assets::remove_asset_from_album))
        .routes(routes!(get_album_map_markers::get_album_map_markers))
        .routes(routes!(users::update_album_user, users::remove_user_from_album))
        .routes(routes!(users::add_users_to_album))
}
