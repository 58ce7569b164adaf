//! Tag `Download`: many files at once, as archives.

mod download_archive;
mod entries;
mod get_download_info;
mod names;
pub(crate) mod turns;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_download_info::get_download_info))
        .routes(routes!(download_archive::download_archive))
}
