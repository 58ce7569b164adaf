//! `PUT /memories/{id}/assets` and `DELETE /memories/{id}/assets`: an answer for each asset.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::memory::MemoryCommand;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, MemoryId};
use uuid::Uuid;

use super::dto::own_one;
use crate::access::allowed_assets;
use crate::bulk::{self, BulkIdErrorReason, BulkIdResponseDto, IdsDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Puts assets to a memory.
#[utoipa::path(
    put, path = "/memories/{id}/assets", tag = "Memories", operation_id = "addMemoryAssets",
    params(("id" = Uuid, Path)), request_body = IdsDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(super) async fn add_memory_assets(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<BulkIdResponseDto>>, Problem> {
    caller.require(Permission::MemoryAssetCreate)?;
    let id = path_uuid("id", &id)?;
    let asked = bulk::ids(&body)?;
    let memory = own_one(&api, &caller, Permission::MemoryRead, id).await?;
    let assets = allowed_assets(&api, &caller, Permission::AssetShare, &asked).await?;
    let allowed: Vec<Uuid> = assets.iter().map(|asset| asset.asset_id).collect();
    let mut answers = bulk::adding(&asked, &memory.asset_ids, &allowed);
    let asset_ids = bulk::to_do(&answers).into_iter().map(AssetId::new).collect();
    let command = MemoryCommand::AddAssets { by: caller.user_id(), asset_ids };
    let outcome = api.commands.memory(&caller.context(), MemoryId::new(id), &command).await?;
    api.seen(&outcome).await;
    bulk::settle(&mut answers, &outcome, BulkIdErrorReason::Duplicate);
    Ok(Json(answers))
}

/// Takes assets out of a memory.
#[utoipa::path(
    delete, path = "/memories/{id}/assets", tag = "Memories",
    operation_id = "removeMemoryAssets",
    params(("id" = Uuid, Path)), request_body = IdsDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(super) async fn remove_memory_assets(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<BulkIdResponseDto>>, Problem> {
    caller.require(Permission::MemoryAssetDelete)?;
    let id = path_uuid("id", &id)?;
    let asked = bulk::ids(&body)?;
    let memory = own_one(&api, &caller, Permission::MemoryUpdate, id).await?;
    let mut answers = bulk::removing(&asked, &memory.asset_ids);
    let asset_ids = bulk::to_do(&answers).into_iter().map(AssetId::new).collect();
    let command = MemoryCommand::RemoveAssets { by: caller.user_id(), asset_ids };
    let outcome = api.commands.memory(&caller.context(), MemoryId::new(id), &command).await?;
    api.seen(&outcome).await;
    bulk::settle(&mut answers, &outcome, BulkIdErrorReason::NotFound);
    Ok(Json(answers))
}
