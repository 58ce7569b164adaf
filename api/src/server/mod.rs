//! Tag `Server`: what this server is and what it can do.

mod about;
mod config;
mod features;
pub(crate) mod license;
mod media_types;
mod ping;
mod statistics;
mod storage;
pub(crate) mod version;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(about::get_about_info))
        .routes(routes!(about::get_apk_links))
        .routes(routes!(config::get_server_config))
        .routes(routes!(features::get_server_features))
        .routes(routes!(
            license::get_server_license,
            license::set_server_license,
            license::delete_server_license
        ))
        .routes(routes!(media_types::get_supported_media_types))
        .routes(routes!(ping::ping_server))
        .routes(routes!(statistics::get_server_statistics))
        .routes(routes!(storage::get_storage))
        .routes(routes!(version::get_server_version))
        .routes(routes!(version::get_version_check))
        .routes(routes!(version::get_version_history))
}
