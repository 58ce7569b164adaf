//! `DELETE /stacks` and `DELETE /stacks/{id}`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::StackId;
use calotype_domain::permission::Permission;
use uuid::Uuid;

use super::dto::{learn_owners, own};
use crate::bulk::{self, IdsDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Dissolves stacks; their assets show by themselves again.
#[utoipa::path(
    delete, path = "/stacks", tag = "Stacks", operation_id = "deleteStacks",
    request_body = IdsDto, responses((status = 204))
)]
pub(super) async fn delete_stacks(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::StackDelete)?;
    let mut ids = bulk::ids(&body)?;
    ids.sort_unstable();
    ids.dedup();
    dissolve(&api, &caller, &ids).await
}

/// Dissolves a stack.
#[utoipa::path(
    delete, path = "/stacks/{id}", tag = "Stacks", operation_id = "deleteStack",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_stack(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::StackDelete)?;
    dissolve(&api, &caller, &[path_uuid("id", &id)?]).await
}

async fn dissolve(api: &Api, caller: &Caller, ids: &[Uuid]) -> Result<StatusCode, Problem> {
    learn_owners(api, &own(api, caller, Permission::StackDelete, ids).await?).await?;
    let stack_ids: Vec<StackId> = ids.iter().copied().map(StackId::new).collect();
    let outcome =
        api.commands.dissolve_stacks(&caller.context(), caller.user_id(), &stack_ids).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
