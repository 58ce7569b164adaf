//! `PUT /tags/{id}/assets` and `DELETE /tags/{id}/assets`: an answer for each asset.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, TagId};
use uuid::Uuid;

use super::dto::own_one;
use crate::access::allowed_assets;
use crate::bulk::{self, BulkIdErrorReason, BulkIdResponseDto, IdsDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Lets assets carry a tag.
#[utoipa::path(
    put, path = "/tags/{id}/assets", tag = "Tags", operation_id = "tagAssets",
    params(("id" = Uuid, Path)), request_body = IdsDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(super) async fn tag_assets(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<BulkIdResponseDto>>, Problem> {
    caller.require(Permission::TagAsset)?;
    let id = path_uuid("id", &id)?;
    let asked = bulk::ids(&body)?;
    own_one(&api, &caller, Permission::TagAsset, id).await?;
    let present = carrying(&api, id, &asked).await?;
    // Tags are the owner's: what others share is not tagged.
    let assets = allowed_assets(&api, &caller, Permission::AssetUpdate, &asked).await?;
    api.caches.owners.learn(&assets);
    let allowed: Vec<Uuid> = assets.iter().map(|asset| asset.asset_id).collect();
    let mut answers = bulk::adding(&asked, &present, &allowed);
    let asset_ids: Vec<AssetId> = bulk::to_do(&answers).into_iter().map(AssetId::new).collect();
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.tag_assets(&context, by, &[TagId::new(id)], &asset_ids).await?;
    api.seen(&outcome).await;
    bulk::settle(&mut answers, &outcome, BulkIdErrorReason::Duplicate);
    Ok(Json(answers))
}

/// Takes a tag from assets.
#[utoipa::path(
    delete, path = "/tags/{id}/assets", tag = "Tags", operation_id = "untagAssets",
    params(("id" = Uuid, Path)), request_body = IdsDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(super) async fn untag_assets(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<BulkIdResponseDto>>, Problem> {
    caller.require(Permission::TagAsset)?;
    let id = path_uuid("id", &id)?;
    let asked = bulk::ids(&body)?;
    own_one(&api, &caller, Permission::TagAsset, id).await?;
    let present = carrying(&api, id, &asked).await?;
    let mut answers = bulk::removing(&asked, &present);
    let untagged = bulk::to_do(&answers);
    api.caches.owners.learn(&api.queries.assets(&untagged).await?);
    let asset_ids: Vec<AssetId> = untagged.into_iter().map(AssetId::new).collect();
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.untag_assets(&context, by, &[TagId::new(id)], &asset_ids).await?;
    api.seen(&outcome).await;
    bulk::settle(&mut answers, &outcome, BulkIdErrorReason::NotFound);
    Ok(Json(answers))
}

/// Those of some assets that carry the tag.
async fn carrying(api: &Api, tag_id: Uuid, asked: &[Uuid]) -> Result<Vec<Uuid>, Problem> {
    let pairs = api.queries.tagged(&[tag_id], asked).await?;
    Ok(pairs.into_iter().map(|(asset_id, _)| asset_id).collect())
}
