//! Tag `Duplicates`: assets of one owner that show the same.

mod delete_duplicates;
mod get_asset_duplicates;
mod resolve_duplicates;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(
            get_asset_duplicates::get_asset_duplicates,
            delete_duplicates::delete_duplicates
        ))
        .routes(routes!(resolve_duplicates::resolve_duplicates))
        .routes(routes!(delete_duplicates::delete_duplicate))
}
