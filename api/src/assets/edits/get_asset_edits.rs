//! `GET /assets/{id}/edits`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::AssetEditsResponseDto;
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The edits of an asset, in order.
#[utoipa::path(
    get, path = "/assets/{id}/edits", tag = "Assets", operation_id = "getAssetEdits",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = AssetEditsResponseDto))
)]
pub(crate) async fn get_asset_edits(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AssetEditsResponseDto>, Problem> {
    caller.require(Permission::AssetEditGet)?;
    let id = path_uuid("id", &id)?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetEditGet, asset.as_ref()).await?;
    let edits = asset.as_ref().map(calotype_projections::assets::AssetRow::edits);
    Ok(Json(AssetEditsResponseDto::of(id, edits.unwrap_or_default())))
}
