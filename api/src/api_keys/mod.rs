//! Tag `API keys`: keys for programs that act for a person.

mod create_api_key;
mod delete_api_key;
mod dto;
mod get_api_key;
mod rotate_api_key;
mod update_api_key;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_api_key::get_api_keys, create_api_key::create_api_key))
        .routes(routes!(get_api_key::get_my_api_key))
        .routes(routes!(
            get_api_key::get_api_key,
            update_api_key::update_api_key,
            delete_api_key::delete_api_key
        ))
        .routes(routes!(rotate_api_key::rotate_api_key))
        .route("/api-keys/{id}", patch(update_api_key::update_api_key))
}
