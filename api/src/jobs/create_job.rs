//! `POST /jobs`: housekeeping by hand.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::queue::{ManualJob, QueueCommand};
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Immich's jobs.
const NAMES: [&str; 15] = [
    "person-cleanup",
    "tag-cleanup",
    "user-cleanup",
    "memory-cleanup",
    "memory-create",
    "backup-database",
    "integrity-missing-files",
    "integrity-untracked-files",
    "integrity-checksum-mismatch",
    "integrity-missing-files-refresh",
    "integrity-untracked-files-refresh",
    "integrity-checksum-mismatch-refresh",
    "integrity-missing-files-delete-all",
    "integrity-untracked-files-delete-all",
    "integrity-checksum-mismatch-delete-all",
];
/// The queue whose events ask for jobs.
const QUEUE: &str = "backgroundTask";

/// Which job.
#[derive(ToSchema)]
pub(crate) struct JobCreateDto {
    name: String,
}

/// Starts a job; refuses those that this server does not have.
#[utoipa::path(
    post,
    path = "/jobs",
    operation_id = "createJob",
    tag = "Jobs",
    request_body = JobCreateDto,
    responses((status = 204)),
)]
pub(super) async fn create_job(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::JobCreate)?;
    let mut fields = Fields::json(&body)?;
    let dto = JobCreateDto { name: fields.required_option("name", &NAMES) };
    fields.finish()?;
    let Some(job) = manual_job(&dto.name) else {
        return Err(Problem::bad_request(format!("The job {} is not available", dto.name)));
    };
    let command = QueueCommand::Job(job);
    let outcome = api.commands.control_queue(&caller.context(), QUEUE, command).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

fn manual_job(name: &str) -> Option<ManualJob> {
    match name {
        "memory-cleanup" => Some(ManualJob::MemoryCleanup),
        "memory-create" => Some(ManualJob::MemoryCreate),
        "person-cleanup" => Some(ManualJob::PersonCleanup),
        "tag-cleanup" => Some(ManualJob::TagCleanup),
        "user-cleanup" => Some(ManualJob::UserCleanup),
        _ => None,
    }
}
