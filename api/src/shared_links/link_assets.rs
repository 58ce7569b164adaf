//! `PUT` and `DELETE /shared-links/{id}/assets`: what a link shows one by one. Each asset is answered for by
//! itself.

use std::collections::HashSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, SharedLinkId};
use calotype_projections::shared_links::SharedLinkRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::get_shared_links::own;
use crate::access::allowed_assets;
use crate::caller::Caller;
use crate::links::unshow_if_locked;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Which assets.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetIdsDto {
    asset_ids: Vec<Uuid>,
}

/// What became of one asset.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetIdsResponseDto {
    asset_id: Uuid,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Lets a link show more assets.
#[utoipa::path(
    put, path = "/shared-links/{id}/assets", tag = "Shared links",
    operation_id = "addSharedLinkAssets",
    params(("id" = Uuid, Path)), request_body = AssetIdsDto,
    responses((status = 200, body = Vec<AssetIdsResponseDto>))
)]
pub(super) async fn add_shared_link_assets(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<AssetIdsResponseDto>>, Problem> {
    let (link, asset_ids) = asked(&api, &caller, &id, &body).await?;
    let held = held(&api, &link, &asset_ids).await?;
    let allowed = allowed_assets(&api, &caller, Permission::AssetShare, &asset_ids).await?;
    let allowed: HashSet<Uuid> = allowed.iter().map(|asset| asset.asset_id).collect();
    change(&api, &caller, &link, asset_ids, true, |asset_id| {
        if held.contains(&asset_id) {
            return Some("duplicate");
        }
        (!allowed.contains(&asset_id)).then_some("no_permission")
    })
    .await
}

/// Lets a link show fewer assets.
#[utoipa::path(
    delete, path = "/shared-links/{id}/assets", tag = "Shared links",
    operation_id = "removeSharedLinkAssets",
    params(("id" = Uuid, Path)), request_body = AssetIdsDto,
    responses((status = 200, body = Vec<AssetIdsResponseDto>))
)]
pub(super) async fn remove_shared_link_assets(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<AssetIdsResponseDto>>, Problem> {
    let (link, asset_ids) = asked(&api, &caller, &id, &body).await?;
    let held = held(&api, &link, &asset_ids).await?;
    change(&api, &caller, &link, asset_ids, false, |asset_id| {
        (!held.contains(&asset_id)).then_some("not_found")
    })
    .await
}

async fn asked(
    api: &Api,
    caller: &Caller,
    id: &str,
    body: &Bytes,
) -> Result<(SharedLinkRow, Vec<Uuid>), Problem> {
    caller.require(Permission::SharedLinkUpdate)?;
    let link_id = path_uuid("id", id)?;
    let mut fields = Fields::json(body)?;
    let asset_ids = fields.required_uuids("assetIds");
    fields.finish()?;
    let link = own(api, caller, link_id).await?;
    if link.album_id.is_some() {
        return Err(Problem::bad_request("Invalid shared link type"));
    }
    Ok((link, asset_ids.into_iter().map(AssetId::uuid).collect()))
}

async fn held(
    api: &Api,
    link: &SharedLinkRow,
    asset_ids: &[Uuid],
) -> Result<HashSet<Uuid>, Problem> {
    Ok(api.queries.assets_in_link(link.shared_link_id, asset_ids).await?.into_iter().collect())
}

/// Changes what nothing speaks against, in one command, and answers for each asset.
async fn change(
    api: &Api,
    caller: &Caller,
    link: &SharedLinkRow,
    asset_ids: Vec<Uuid>,
    adds: bool,
    against: impl Fn(Uuid) -> Option<&'static str>,
) -> Result<Json<Vec<AssetIdsResponseDto>>, Problem> {
    let again = if adds { "duplicate" } else { "not_found" };
    let mut wanted = HashSet::new();
    let mut answers: Vec<AssetIdsResponseDto> = asset_ids
        .iter()
        .map(|&asset_id| {
            let is_again = wanted.contains(&asset_id);
            let error = against(asset_id).or(is_again.then_some(again));
            if error.is_none() {
                wanted.insert(asset_id);
            }
            AssetIdsResponseDto { asset_id, success: error.is_none(), error }
        })
        .collect();
    if !wanted.is_empty() {
        let link_id = SharedLinkId::new(link.shared_link_id);
        let wanted: Vec<AssetId> = wanted.into_iter().map(AssetId::new).collect();
        let (context, by) = (caller.context(), caller.user_id());
        let outcome =
            api.commands.change_link_assets(&context, by, link_id, wanted.clone(), adds).await?;
        api.surely_seen_of(&outcome, wanted.len()).await?;
        let locked = if adds {
            unshow_if_locked(api, &context, by, link_id, &wanted).await?
        } else {
            HashSet::new()
        };
        for answer in answers.iter_mut().filter(|answer| answer.success) {
            if locked.contains(&AssetId::new(answer.asset_id)) {
                (answer.success, answer.error) = (false, Some("no_permission"));
            }
        }
        if outcome.written().is_none() {
            // Somebody else has done all of it meanwhile.
            for answer in answers.iter_mut().filter(|answer| answer.success) {
                (answer.success, answer.error) = (false, Some(again));
            }
        }
    }
    Ok(Json(answers))
}
