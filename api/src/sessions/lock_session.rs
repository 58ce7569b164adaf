//! `POST /sessions/{id}/lock`: takes back what a PIN opened.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::SessionId;
use calotype_domain::permission::Permission;
use calotype_domain::session::SessionCommand;

use super::dto::own_one;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Locks a session of the caller's.
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
    let session_id = path_uuid("id", &id)?;
    own_one(&api, &caller, session_id, Permission::SessionLock).await?;
    let session_id = SessionId::new(session_id);
    let context = caller.context();
    let outcome =
        api.commands.lock_or_unlock_session(&context, session_id, SessionCommand::Lock).await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}
