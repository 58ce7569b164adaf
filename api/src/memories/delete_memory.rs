//! `DELETE /memories/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::MemoryId;
use calotype_domain::memory::MemoryCommand;
use calotype_domain::permission::Permission;

use super::dto::own_one;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Deletes one of the caller's memories; its assets stay.
#[utoipa::path(
    delete, path = "/memories/{id}", tag = "Memories", operation_id = "deleteMemory",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_memory(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::MemoryDelete)?;
    let id = path_uuid("id", &id)?;
    own_one(&api, &caller, Permission::MemoryDelete, id).await?;
    let command = MemoryCommand::Delete { by: Some(caller.user_id()) };
    let outcome = api.commands.memory(&caller.context(), MemoryId::new(id), &command).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
