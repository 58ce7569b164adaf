//! `DELETE /stacks/{id}/assets/{assetId}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::stack::StackCommand;
use calotype_domain::{AssetId, StackId};

use super::dto::{learn_owners, own};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Takes an asset out of a stack. The primary one cannot be taken out; a stack of one is dissolved.
#[utoipa::path(
    delete, path = "/stacks/{id}/assets/{assetId}", tag = "Stacks",
    operation_id = "removeAssetFromStack",
    params(("id" = Uuid, Path), ("assetId" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn remove_asset_from_stack(
    State(api): State<Api>,
    caller: Caller,
    Path((id, asset_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::StackUpdate)?;
    let (asset_id, id) = (path_uuid("assetId", &asset_id)?, path_uuid("id", &id)?);
    learn_owners(&api, &own(&api, &caller, Permission::StackUpdate, &[id]).await?).await?;
    let by = caller.user_id();
    let command = StackCommand::TakeOut { by, asset_id: AssetId::new(asset_id) };
    let outcome = api.commands.stack(&caller.context(), StackId::new(id), &command).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
