//! `DELETE /albums/{id}/assets`.

use std::collections::HashSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::access::{Object, check};
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId};
use uuid::Uuid;

use super::add_assets::BulkIdsDto;
use crate::access::{allowed_assets, require_album};
use crate::bulk::{BulkIdErrorReason, BulkIdResponseDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Takes assets out of an album, and says of each what became of it. The owner of the album takes out
/// whatever they like, an editor only what they may share.
#[utoipa::path(
    delete, path = "/albums/{id}/assets", tag = "Albums", operation_id = "removeAssetFromAlbum",
    params(("id" = Uuid, Path)), request_body = BulkIdsDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(crate) async fn remove_asset_from_album(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<BulkIdResponseDto>>, Problem> {
    caller.require(Permission::AlbumAssetDelete)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("ids");
    fields.finish()?;
    let part = require_album(&api, &caller, Permission::AlbumAssetDelete, id).await?;
    let album = Object::Album { role: part.role.parse().ok(), by_link: false };
    let all = check(caller.person(), Permission::AlbumDelete, album).is_ok();
    let allowed: HashSet<AssetId> = if all {
        asset_ids.iter().copied().collect()
    } else {
        let wanted: Vec<Uuid> = asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
        let assets = allowed_assets(&api, &caller, Permission::AssetShare, &wanted).await?;
        assets.into_iter().map(|asset| AssetId::new(asset.asset_id)).collect()
    };
    let wanted: Vec<AssetId> =
        asset_ids.iter().copied().filter(|asset_id| allowed.contains(asset_id)).collect();
    let (changed, outcome) = api
        .commands
        .remove_from_albums(&caller.context(), Some(caller.user_id()), &[AlbumId::new(id)], &wanted)
        .await?;
    api.surely_seen_of(&outcome, wanted.len()).await?;
    let mut inside: HashSet<AssetId> =
        changed.into_iter().flat_map(|changed| changed.inside_before).collect();
    let refused: Vec<Uuid> = asset_ids
        .iter()
        .filter(|asset_id| !allowed.contains(asset_id))
        .map(|asset_id| asset_id.uuid())
        .collect();
    let still_inside = if refused.is_empty() {
        HashSet::new()
    } else {
        api.queries.inside_album(id, &refused).await?.into_iter().collect()
    };
    let answer = asset_ids
        .into_iter()
        .map(|asset_id| {
            let error = if inside.remove(&asset_id) {
                None
            } else if still_inside.contains(&asset_id.uuid()) {
                Some(BulkIdErrorReason::NoPermission)
            } else {
                Some(BulkIdErrorReason::NotFound)
            };
            BulkIdResponseDto::new(asset_id.uuid(), error)
        })
        .collect();
    Ok(Json(answer))
}
