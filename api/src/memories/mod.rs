//! Tag `Memories`: what a person took on the same day in earlier years.

mod change_assets;
mod create_memory;
mod delete_memory;
mod dto;
mod get_memory;
mod search_memories;
mod update_memory;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(search_memories::search_memories, create_memory::create_memory))
        .routes(routes!(search_memories::memories_statistics))
        .routes(routes!(
            get_memory::get_memory,
            update_memory::update_memory,
            delete_memory::delete_memory
        ))
        .route("/memories/{id}", patch(update_memory::update_memory))
        .routes(routes!(change_assets::add_memory_assets, change_assets::remove_memory_assets))
}
