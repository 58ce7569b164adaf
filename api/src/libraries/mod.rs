//! Tag `Libraries`: folders outside whose files are assets; for administrators.

mod change;
mod create_library;
mod dto;
mod get_libraries;
mod scan_library;
mod validate;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_libraries::get_all_libraries, create_library::create_library))
        .routes(routes!(get_libraries::get_library, change::update_library, change::delete_library))
        .route("/libraries/{id}", patch(change::update_library))
        .routes(routes!(get_libraries::get_library_statistics))
        .routes(routes!(scan_library::scan_library))
        .routes(routes!(validate::validate))
}
