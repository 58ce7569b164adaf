//! `GET /assets/{id}/metadata` and `PUT /assets/{id}/metadata`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_commands::organize::KeyValueChange;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use serde_json::Value;
use utoipa::ToSchema;

use super::{AssetMetadataResponseDto, items, key_value};
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// One value to keep.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetMetadataUpsertItemDto {
    key: String,
    #[schema(value_type = Object)]
    value: Value,
}

/// Values to keep.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetMetadataUpsertDto {
    items: Vec<AssetMetadataUpsertItemDto>,
}

/// Every value that programs keep with an asset.
#[utoipa::path(
    get, path = "/assets/{id}/metadata", tag = "Assets", operation_id = "getAssetMetadata",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<AssetMetadataResponseDto>))
)]
pub(crate) async fn get_asset_metadata(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<AssetMetadataResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let id = path_uuid("id", &id)?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
    // What programs keep with an asset is its owner's alone, whoever else may look at it.
    caller.require_owned(Permission::AssetRead, asset.map(|asset| asset.owner_id))?;
    Ok(Json(api.queries.key_values(&[id]).await?.into_iter().map(Into::into).collect()))
}

/// Keeps values with an asset; answers with these.
#[utoipa::path(
    put, path = "/assets/{id}/metadata", tag = "Assets", operation_id = "updateAssetMetadata",
    params(("id" = Uuid, Path)), request_body = AssetMetadataUpsertDto,
    responses((status = 200, body = Vec<AssetMetadataResponseDto>))
)]
pub(crate) async fn update_asset_metadata(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<AssetMetadataResponseDto>>, Problem> {
    caller.require(Permission::AssetUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let entries = items(&mut fields, key_value);
    fields.finish()?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetUpdate, asset.as_ref()).await?;
    let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let changes =
        entries.into_iter().map(|entry| (AssetId::new(id), KeyValueChange::Set(entry))).collect();
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.change_key_values(&context, by, changes).await?;
    api.seen(&outcome).await;
    let rows = api.queries.key_values(&[id]).await?;
    Ok(Json(rows.into_iter().filter(|row| keys.contains(&row.key)).map(Into::into).collect()))
}
