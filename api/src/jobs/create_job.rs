//! `POST /jobs`: housekeeping by hand.

use axum::body::Bytes;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::validate::Fields;

/// Immich's jobs. The first five tidy up things that do not exist here or that tidy themselves up.
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
/// Those of [`NAMES`] that have nothing to do.
const IDLE: usize = 5;

/// Which job.
#[derive(ToSchema)]
pub(crate) struct JobCreateDto {
    name: String,
}

/// Takes jobs that have nothing to do here, and refuses those that would have.
#[utoipa::path(
    post,
    path = "/jobs",
    operation_id = "createJob",
    tag = "Jobs",
    request_body = JobCreateDto,
    responses((status = 204)),
)]
pub(super) async fn create_job(caller: Caller, body: Bytes) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::JobCreate)?;
    let mut fields = Fields::json(&body)?;
    let dto = JobCreateDto { name: fields.required_option("name", &NAMES) };
    fields.finish()?;
    if NAMES.iter().take(IDLE).any(|idle| *idle == dto.name) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::bad_request(format!("The job {} is not available", dto.name)))
}
