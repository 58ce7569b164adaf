//! `GET /queues` and `/queues/{name}`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::dto::{QueueResponseDto, all, known, one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Lists every queue.
#[utoipa::path(
    get,
    path = "/queues",
    operation_id = "getQueues",
    tag = "Queues",
    responses((status = 200, body = Vec<QueueResponseDto>)),
)]
pub(super) async fn get_queues(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<QueueResponseDto>>, Problem> {
    caller.require_admin(Permission::QueueRead)?;
    Ok(Json(all(&api).await?))
}

/// One queue.
#[utoipa::path(
    get,
    path = "/queues/{name}",
    operation_id = "getQueue",
    tag = "Queues",
    params(("name" = String, Path)),
    responses((status = 200, body = QueueResponseDto)),
)]
pub(super) async fn get_queue(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<QueueResponseDto>, Problem> {
    caller.require_admin(Permission::QueueRead)?;
    Ok(Json(one(&api, known(&name)?).await?))
}
