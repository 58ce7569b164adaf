//! Tag `System config`: what administrators set for the whole server.

mod change;
mod check;
mod document;
mod templates;

pub use change::wanted_but_missing;
pub(crate) use change::{change, given};
pub(crate) use check::check as check_group;
pub(crate) use document::{SystemConfigDto, kind as kind_schema};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(change::get_config, change::update_config))
        .routes(routes!(change::get_config_defaults))
        .routes(routes!(templates::get_storage_template_options))
}
