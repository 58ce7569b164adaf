//! Tag `Jobs`: the older view of queues, and jobs that administrators start by hand.

mod create_job;
mod queues_legacy;
mod run_queue_command_legacy;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(queues_legacy::get_queues_legacy, create_job::create_job))
        .routes(routes!(run_queue_command_legacy::run_queue_command_legacy))
}
