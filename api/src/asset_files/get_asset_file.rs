//! `GET /asset-files/{id}`, of release 3.2.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::of_asset::{AssetFileResponseDto, allowed_file, look_into};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// A file beside an original.
#[utoipa::path(
    get, path = "/asset-files/{id}", tag = "Asset files", operation_id = "getAssetFile",
    params(("id" = uuid::Uuid, Path)), responses((status = 200, body = AssetFileResponseDto))
)]
pub(super) async fn get_asset_file(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AssetFileResponseDto>, Problem> {
    caller.require(Permission::AssetRead)?;
    let id = path_uuid("id", &id)?;
    let (mut file, _) = allowed_file(&api, &caller, Permission::AssetRead, id).await?;
    look_into(&api, std::slice::from_mut(&mut file)).await?;
    Ok(Json(AssetFileResponseDto::from(file)))
}
