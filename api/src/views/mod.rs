//! Tag `Views`: assets by the folder of their original.

mod folder;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(folder::get_assets_by_original_path))
        .routes(routes!(folder::get_unique_original_paths))
}
