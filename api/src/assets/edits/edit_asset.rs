//! `PUT /assets/{id}/edits`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;

use super::AssetEditsResponseDto;
use super::body::{self, AssetEditsCreateDto};
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Puts edits in the place of those before. The pictures follow.
#[utoipa::path(
    put, path = "/assets/{id}/edits", tag = "Assets", operation_id = "editAsset",
    params(("id" = uuid::Uuid, Path)), request_body = AssetEditsCreateDto,
    responses((status = 200, body = AssetEditsResponseDto))
)]
pub(crate) async fn edit_asset(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<AssetEditsResponseDto>, Problem> {
    caller.require(Permission::AssetEditCreate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let actions = body::actions(&mut fields);
    fields.finish()?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetEditCreate, asset.as_ref()).await?;
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.edit_asset(&context, by, AssetId::new(id), &actions).await?;
    api.seen(&outcome).await;
    let asset = api.queries.asset(id).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetEditCreate))?;
    Ok(Json(AssetEditsResponseDto::of(id, asset.edits())))
}
