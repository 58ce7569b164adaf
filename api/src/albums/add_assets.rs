//! `PUT /albums/{id}/assets` and `PUT /albums/assets`.

use std::collections::HashSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::locked::leave_if_locked;
use crate::access::{allowed_albums, allowed_assets, require_album};
use crate::bulk::{BulkIdErrorReason, BulkIdResponseDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Which assets.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct BulkIdsDto {
    ids: Vec<Uuid>,
}

/// Which assets into which albums.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AlbumsAddAssetsDto {
    album_ids: Vec<Uuid>,
    asset_ids: Vec<Uuid>,
}

/// Whether anything was put in.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlbumsAddAssetsResponseDto {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Puts assets into an album, and says of each what became of it.
#[utoipa::path(
    put, path = "/albums/{id}/assets", tag = "Albums", operation_id = "addAssetsToAlbum",
    params(("id" = Uuid, Path)), request_body = BulkIdsDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(crate) async fn add_assets_to_album(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<BulkIdResponseDto>>, Problem> {
    caller.require(Permission::AlbumAssetCreate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("ids");
    fields.finish()?;
    require_album(&api, &caller, Permission::AlbumAssetCreate, id).await?;
    let allowed = shareable(&api, &caller, &asset_ids).await?;
    let wanted: Vec<AssetId> =
        asset_ids.iter().copied().filter(|asset_id| allowed.contains(asset_id)).collect();
    let (changed, outcome) = api
        .commands
        .add_to_albums(&caller.context(), Some(caller.user_id()), &[AlbumId::new(id)], &wanted)
        .await?;
    api.surely_seen_of(&outcome, wanted.len()).await?;
    let locked = leave_if_locked(&api, &caller.context(), &[AlbumId::new(id)], &wanted).await?;
    let mut inside: HashSet<AssetId> =
        changed.into_iter().flat_map(|changed| changed.inside_before).collect();
    inside.retain(|asset_id| !locked.contains(asset_id));
    // What is there already is a duplicate, also for those who might not have put it there.
    let others: Vec<Uuid> = asset_ids
        .iter()
        .filter(|asset_id| !allowed.contains(*asset_id))
        .map(|asset_id| asset_id.uuid())
        .collect();
    if !others.is_empty() {
        let there = api.queries.inside_album(id, &others).await?;
        inside.extend(there.into_iter().map(AssetId::new));
    }
    let mut answer = Vec::with_capacity(asset_ids.len());
    for asset_id in asset_ids {
        let is_allowed = allowed.contains(&asset_id) && !locked.contains(&asset_id);
        let error = match (inside.contains(&asset_id), is_allowed) {
            (true, _) => Some(BulkIdErrorReason::Duplicate),
            (false, false) => Some(BulkIdErrorReason::NoPermission),
            (false, true) => None,
        };
        if error.is_none() {
            inside.insert(asset_id);
        }
        answer.push(BulkIdResponseDto::new(asset_id.uuid(), error));
    }
    Ok(Json(answer))
}

/// Puts assets into several albums.
#[utoipa::path(
    put, path = "/albums/assets", tag = "Albums", operation_id = "addAssetsToAlbums",
    request_body = AlbumsAddAssetsDto,
    responses((status = 200, body = AlbumsAddAssetsResponseDto))
)]
pub(crate) async fn add_assets_to_albums(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<AlbumsAddAssetsResponseDto>, Problem> {
    caller.require(Permission::AlbumAssetCreate)?;
    let mut fields = Fields::json(&body)?;
    let album_ids = fields.required_uuids("albumIds");
    let asset_ids = fields.required_uuids("assetIds");
    fields.finish()?;
    let album_ids: Vec<Uuid> = album_ids.into_iter().map(AssetId::uuid).collect();
    let albums: Vec<AlbumId> =
        allowed_albums(&api, &caller, Permission::AlbumAssetCreate, &album_ids)
            .await?
            .into_iter()
            .map(|part| AlbumId::new(part.album_id))
            .collect();
    let allowed = shareable(&api, &caller, &asset_ids).await?;
    let wanted: Vec<AssetId> =
        asset_ids.into_iter().filter(|asset_id| allowed.contains(asset_id)).collect();
    let failed =
        |error| Ok(Json(AlbumsAddAssetsResponseDto { success: false, error: Some(error) }));
    if albums.is_empty() || wanted.is_empty() {
        return failed("no_permission");
    }
    let (changed, outcome) = api
        .commands
        .add_to_albums(&caller.context(), Some(caller.user_id()), &albums, &wanted)
        .await?;
    api.surely_seen_of(&outcome, wanted.len()).await?;
    let locked = leave_if_locked(&api, &caller.context(), &albums, &wanted).await?;
    let inside_before: Vec<Vec<AssetId>> =
        changed.into_iter().map(|changed| changed.inside_before).collect();
    match refusal(&wanted, &locked, &inside_before) {
        Some(error) => failed(error),
        None => Ok(Json(AlbumsAddAssetsResponseDto { success: true, error: None })),
    }
}

/// Why nothing was put in, where nothing was: `locked` has left the albums again, and `inside_before` was in each
/// of the albums.
fn refusal(
    wanted: &[AssetId],
    locked: &HashSet<AssetId>,
    inside_before: &[Vec<AssetId>],
) -> Option<&'static str> {
    let stay: HashSet<&AssetId> = wanted.iter().filter(|id| !locked.contains(id)).collect();
    if stay.is_empty() {
        return Some("no_permission");
    }
    let is_new = inside_before
        .iter()
        .any(|inside| inside.iter().filter(|id| stay.contains(id)).collect::<HashSet<_>>() != stay);
    (!is_new).then_some("duplicate")
}

/// Those of some assets that the caller may put into an album.
async fn shareable(
    api: &Api,
    caller: &Caller,
    asset_ids: &[AssetId],
) -> Result<HashSet<AssetId>, Problem> {
    let asset_ids: Vec<Uuid> = asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
    let allowed = allowed_assets(api, caller, Permission::AssetShare, &asset_ids).await?;
    Ok(allowed.into_iter().map(|asset| AssetId::new(asset.asset_id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_locked_meanwhile_was_not_put_in() {
        let [one, two] = [1, 2].map(|number| AssetId::new(Uuid::from_u128(number)));
        let none = HashSet::new();
        assert_eq!(refusal(&[one, one], &none, &[vec![]]), None);
        assert_eq!(refusal(&[one], &none, &[vec![one], vec![]]), None);
        assert_eq!(refusal(&[one, one], &none, &[vec![one, one]]), Some("duplicate"));
        let locked = HashSet::from([one]);
        assert_eq!(refusal(&[one], &locked, &[vec![]]), Some("no_permission"));
        assert_eq!(refusal(&[one, two], &locked, &[vec![]]), None);
        assert_eq!(refusal(&[one, two], &locked, &[vec![two]]), Some("duplicate"));
    }
}
