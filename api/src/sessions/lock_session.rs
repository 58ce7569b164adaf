//! `POST /sessions/{id}/lock`: takes back what a PIN opened.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;

use super::dto::own_one;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Locks a session of the caller's. No session is ever unlocked yet, so there is nothing to take back.
#[utoipa::path(
    post,
    path = "/sessions/{id}/lock",
    operation_id = "lockSession",
    tag = "Sessions",
    params(("id" = Uuid, Path)),
    responses((status = 204)),
)]
pub(super) async fn lock_session(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::SessionLock)?;
    own_one(&api, &caller, path_uuid("id", &id)?, Permission::SessionLock).await?;
    Ok(StatusCode::NO_CONTENT)
}
