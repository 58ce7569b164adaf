//! `DELETE /queues/{name}/jobs`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::known;
use super::{Wish, carry_out};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Which jobs.
#[derive(ToSchema)]
pub(crate) struct QueueDeleteDto {
    /// The failed ones too.
    failed: Option<bool>,
}

/// Takes off the queue what waits in it, and with `failed` what has failed; the assets go without until
/// somebody starts the queue. What is being worked on is finished.
#[utoipa::path(
    delete,
    path = "/queues/{name}/jobs",
    operation_id = "emptyQueue",
    tag = "Queues",
    params(("name" = String, Path)),
    request_body = QueueDeleteDto,
    responses((status = 204)),
)]
pub(super) async fn empty_queue(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::QueueJobDelete)?;
    let name = known(&name)?;
    let mut fields = Fields::json(&body)?;
    let dto = QueueDeleteDto { failed: fields.boolean("failed") };
    fields.finish()?;
    carry_out(&api, &caller, name, Wish::Empty).await?;
    if dto.failed == Some(true) {
        carry_out(&api, &caller, name, Wish::ClearFailed).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
