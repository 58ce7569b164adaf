//! `DELETE /queues/{name}/jobs`.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::known;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::validate::Fields;

/// Which jobs.
#[derive(ToSchema)]
pub(crate) struct QueueDeleteDto {
    /// The failed ones too.
    failed: Option<bool>,
}

/// Takes the wish and changes nothing: work follows from assets that lack something, and leaving it
/// undone would leave them without it.
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
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::QueueJobDelete)?;
    let name = known(&name)?;
    let mut fields = Fields::json(&body)?;
    let dto = QueueDeleteDto { failed: fields.boolean("failed") };
    fields.finish()?;
    tracing::info!(
        queue = name,
        failed = dto.failed,
        "asked to empty a queue, which keeps its work"
    );
    Ok(StatusCode::NO_CONTENT)
}
