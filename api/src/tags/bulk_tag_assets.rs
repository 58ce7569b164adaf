//! `PUT /tags/assets`: many tags to many assets.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, TagId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::allowed_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Which tags to which assets.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct TagBulkAssetsDto {
    asset_ids: Vec<Uuid>,
    tag_ids: Vec<Uuid>,
}

/// How many pairs are new.
#[derive(Serialize, ToSchema)]
pub(crate) struct TagBulkAssetsResponseDto {
    count: usize,
}

/// Lets assets carry tags: every asset every tag. What the caller may not use is left out.
#[utoipa::path(
    put, path = "/tags/assets", tag = "Tags", operation_id = "bulkTagAssets",
    request_body = TagBulkAssetsDto,
    responses((status = 200, body = TagBulkAssetsResponseDto))
)]
pub(super) async fn bulk_tag_assets(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<TagBulkAssetsResponseDto>, Problem> {
    caller.require(Permission::TagAsset)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("assetIds");
    if !fields.has("tagIds") {
        fields.missing("array", "tagIds");
    }
    let asked_tags = fields.uuids("tagIds").unwrap_or_default();
    fields.finish()?;
    let tags = api.queries.tags(&asked_tags).await?;
    let tag_ids: Vec<Uuid> = tags
        .iter()
        .filter(|tag| caller.require_owned(Permission::TagAsset, Some(tag.owner_id)).is_ok())
        .map(|tag| tag.tag_id)
        .collect();
    let asked: Vec<Uuid> = asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
    let assets = allowed_assets(&api, &caller, Permission::AssetUpdate, &asked).await?;
    api.caches.owners.learn(&assets);
    let asked: Vec<Uuid> = assets.iter().map(|asset| asset.asset_id).collect();
    let present = api.queries.tagged(&tag_ids, &asked).await?.len();
    let count = (tag_ids.len() * asked.len()).saturating_sub(present);
    let tag_ids: Vec<TagId> = tag_ids.into_iter().map(TagId::new).collect();
    let asset_ids: Vec<AssetId> = asked.into_iter().map(AssetId::new).collect();
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.tag_assets(&context, by, &tag_ids, &asset_ids).await?;
    api.seen(&outcome).await;
    Ok(Json(TagBulkAssetsResponseDto { count }))
}
