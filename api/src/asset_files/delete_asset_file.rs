//! `DELETE /asset-files/{id}`, of release 3.2.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;

use super::of_asset::allowed_file;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Deletes a file beside an original; what is made of the original is made again when somebody asks for what
/// is missing. Pictures of an edited photo go with its edits: without them visitors would see what was cut off.
#[utoipa::path(
    delete, path = "/asset-files/{id}", tag = "Asset files", operation_id = "deleteAssetFile",
    params(("id" = uuid::Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_asset_file(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetDelete)?;
    let id = path_uuid("id", &id)?;
    let (file, _) = allowed_file(&api, &caller, Permission::AssetDelete, id).await?;
    if file.is_edited {
        return Err(Problem::bad_request("Pictures of an edited photo go with its edits"));
    }
    let (context, by) = (caller.context(), caller.user_id());
    let asset_id = AssetId::new(file.asset_id);
    let outcome = api.commands.delete_asset_file(&context, by, asset_id, file.file).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
