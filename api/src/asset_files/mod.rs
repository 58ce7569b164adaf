//! Tag `Asset files`, of release 3.2: the files beside an original, one by one.
//!
//! The catalogue of permissions of 3.1 has none for these: keys need those of the asset, or `all`.

mod delete_asset_file;
mod download_asset_file;
mod get_asset_file;
mod of_asset;
mod search_asset_files;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(search_asset_files::search_asset_files))
        .routes(routes!(get_asset_file::get_asset_file, delete_asset_file::delete_asset_file))
        .routes(routes!(download_asset_file::download_asset_file))
}
