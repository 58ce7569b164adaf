//! `POST /jobs`: housekeeping by hand.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::integrity::{Check, CheckWork};
use calotype_domain::permission::Permission;
use calotype_domain::queue::{BACKGROUND, ManualJob, QueueCommand};
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
/// Which job.
#[derive(ToSchema)]
pub(crate) struct JobCreateDto {
    name: String,
}

/// Starts a job, which counts among the background tasks until it is done; refuses those that this server does
/// not have.
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
    if let Some((check, work)) = check(&dto.name) {
        let outcome = api.commands.request_check(&caller.context(), check, work).await?;
        api.seen(&outcome).await;
        return Ok(StatusCode::NO_CONTENT);
    }
    let Some(job) = manual_job(&dto.name) else {
        return Err(Problem::bad_request(format!("The job {} is not available", dto.name)));
    };
    let command = QueueCommand::Job(job);
    let outcome = api.commands.control_queue(&caller.context(), BACKGROUND, command).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The check of stored files that a job asks for.
fn check(name: &str) -> Option<(Check, CheckWork)> {
    let rest = name.strip_prefix("integrity-")?;
    let (rest, work) = match (rest.strip_suffix("-refresh"), rest.strip_suffix("-delete-all")) {
        (Some(rest), _) => (rest, CheckWork::LookAgain),
        (None, Some(rest)) => (rest, CheckWork::Clear),
        (None, None) => (rest, CheckWork::Look),
    };
    let check = match rest {
        "missing-files" => Check::MissingFile,
        "untracked-files" => Check::UntrackedFile,
        "checksum-mismatch" => Check::ChecksumMismatch,
        _ => return None,
    };
    Some((check, work))
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
