//! `DELETE /sessions/{id}` and `DELETE /sessions`: logs out one device, or all others.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;

use super::close;
use super::dto::own_one;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Closes one of the caller's sessions.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    operation_id = "deleteSession",
    tag = "Sessions",
    params(("id" = Uuid, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete_session(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::SessionDelete)?;
    let session_id = path_uuid("id", &id)?;
    own_one(&api, &caller, session_id, Permission::AuthDeviceDelete).await?;
    close::with_children(&api, &caller, session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes all of the caller's sessions but the one that asks.
#[utoipa::path(
    delete,
    path = "/sessions",
    operation_id = "deleteAllSessions",
    tag = "Sessions",
    responses((status = 204)),
)]
pub(super) async fn delete_all_sessions(
    State(api): State<Api>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::SessionDelete)?;
    close::all_others(&api, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
