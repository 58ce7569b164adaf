//! `GET /assets/{id}/metadata/{key}` and `DELETE /assets/{id}/metadata/{key}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_commands::organize::KeyValueChange;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;

use super::AssetMetadataResponseDto;
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// One value.
#[utoipa::path(
    get, path = "/assets/{id}/metadata/{key}", tag = "Assets",
    operation_id = "getAssetMetadataByKey",
    params(("id" = Uuid, Path), ("key" = String, Path)),
    responses((status = 200, body = AssetMetadataResponseDto))
)]
pub(crate) async fn get_asset_metadata_by_key(
    State(api): State<Api>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
) -> Result<Json<AssetMetadataResponseDto>, Problem> {
    caller.require(Permission::AssetRead)?;
    let id = path_uuid("id", &id)?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
    // What programs keep with an asset is its owner's alone, whoever else may look at it.
    caller.require_owned(Permission::AssetRead, asset.map(|asset| asset.owner_id))?;
    let row = api.queries.key_values(&[id]).await?.into_iter().find(|row| row.key == key);
    row.map(|row| Json(row.into())).ok_or_else(|| {
        Problem::bad_request(format!(
            "Metadata with key \"{key}\" not found for asset with id \"{id}\""
        ))
    })
}

/// Forgets a value.
#[utoipa::path(
    delete, path = "/assets/{id}/metadata/{key}", tag = "Assets",
    operation_id = "deleteAssetMetadata",
    params(("id" = Uuid, Path), ("key" = String, Path)), responses((status = 204))
)]
pub(crate) async fn delete_asset_metadata(
    State(api): State<Api>,
    caller: Caller,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetUpdate)?;
    let id = path_uuid("id", &id)?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetUpdate, asset.as_ref()).await?;
    let changes = vec![(AssetId::new(id), KeyValueChange::Remove(key))];
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.change_key_values(&context, by, changes).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
