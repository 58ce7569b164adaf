//! The routes of this tag.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{get_map_markers, reverse_geocode};
use crate::state::Api;

/// The routes of this tag.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_map_markers::get_map_markers))
        .routes(routes!(reverse_geocode::reverse_geocode))
}
