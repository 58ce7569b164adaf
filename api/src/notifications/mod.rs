//! Tag `Notifications`: what the caller is told inside the app.

mod change;
mod delete;
pub(crate) mod dto;
mod get;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(
            get::get_notifications,
            change::update_notifications,
            delete::delete_notifications
        ))
        .routes(routes!(
            get::get_notification,
            change::update_notification,
            delete::delete_notification
        ))
}
