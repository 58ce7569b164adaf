//! Tag `Stacks`: several assets that show as one.

mod create_stack;
mod delete_stack;
mod dto;
mod get_stack;
mod remove_asset_from_stack;
mod update_stack;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(
            get_stack::search_stacks,
            create_stack::create_stack,
            delete_stack::delete_stacks
        ))
        .routes(routes!(
            get_stack::get_stack,
            update_stack::update_stack,
            delete_stack::delete_stack
        ))
        .route("/stacks/{id}", patch(update_stack::update_stack))
        .routes(routes!(remove_asset_from_stack::remove_asset_from_stack))
}
