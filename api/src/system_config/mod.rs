//! Tag `System config`: what administrators set for the whole server.

mod change;
mod check;
mod document;
mod templates;

pub(crate) use check::check as check_group;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(change::get_config, change::update_config))
        .routes(routes!(change::get_config_defaults))
        .routes(routes!(templates::get_storage_template_options))
}
