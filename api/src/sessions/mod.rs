//! Tag `Sessions`: the devices that are logged in.

pub(crate) mod close;
mod create_session;
mod delete_session;
pub(crate) mod dto;
mod get_sessions;
mod lock_session;
mod update_session;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(
            get_sessions::get_sessions,
            create_session::create_session,
            delete_session::delete_all_sessions
        ))
        .routes(routes!(update_session::update_session, delete_session::delete_session))
        .route("/sessions/{id}", patch(update_session::update_session))
        .routes(routes!(lock_session::lock_session))
}
