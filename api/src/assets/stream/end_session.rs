//! `DELETE /assets/{id}/video/stream/{sessionId}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;

use super::super::cache::allowed_files;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Ends a session; one that is not there has ended.
#[utoipa::path(
    delete, path = "/assets/{id}/video/stream/{sessionId}", tag = "Assets",
    operation_id = "endSession",
    params(
        ("id" = uuid::Uuid, Path), ("key" = Option<String>, Query),
        ("sessionId" = uuid::Uuid, Path), ("slug" = Option<String>, Query)
    ),
    responses((status = 204))
)]
pub(crate) async fn end_session(
    State(api): State<Api>,
    caller: Caller,
    Path((id, session)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require_shared(Permission::AssetView)?;
    let id = path_uuid("id", &id)?;
    let session = path_uuid("sessionId", &session)?;
    allowed_files(&api, &caller, Permission::AssetView, id).await?;
    api.streams.end(session, id).await;
    Ok(StatusCode::NO_CONTENT)
}
