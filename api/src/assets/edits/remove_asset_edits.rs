//! `DELETE /assets/{id}/edits`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;

use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Shows an asset as its file has it.
#[utoipa::path(
    delete, path = "/assets/{id}/edits", tag = "Assets", operation_id = "removeAssetEdits",
    params(("id" = uuid::Uuid, Path)), responses((status = 204))
)]
pub(crate) async fn remove_asset_edits(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetEditDelete)?;
    let id = path_uuid("id", &id)?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetEditDelete, asset.as_ref()).await?;
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.remove_edits(&context, by, AssetId::new(id)).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
