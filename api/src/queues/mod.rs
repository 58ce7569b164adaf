//! Tag `Queues`: what waits to be worked on. Two of Immich's queues have work here; the others are empty.

mod change;
pub(crate) mod dto;
mod empty_queue;
mod get_queue;
mod get_queue_jobs;

pub(crate) use change::{Wish, carry_out};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_queue::get_queues))
        .routes(routes!(get_queue::get_queue, change::update_queue))
        .routes(routes!(get_queue_jobs::get_queue_jobs, empty_queue::empty_queue))
}
