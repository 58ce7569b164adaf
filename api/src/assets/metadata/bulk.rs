//! `PUT /assets/metadata` and `DELETE /assets/metadata`: values of many assets.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::organize::KeyValueChange;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AssetMetadataBulkResponseDto, asset_id, items, key_value};
use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// One value to keep.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetMetadataBulkUpsertItemDto {
    asset_id: Uuid,
    key: String,
    #[schema(value_type = Object)]
    value: Value,
}

/// Values to keep.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetMetadataBulkUpsertDto {
    items: Vec<AssetMetadataBulkUpsertItemDto>,
}

/// One value to forget.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetMetadataBulkDeleteItemDto {
    asset_id: Uuid,
    key: String,
}

/// Values to forget.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetMetadataBulkDeleteDto {
    items: Vec<AssetMetadataBulkDeleteItemDto>,
}

/// Keeps values with assets; answers with these.
#[utoipa::path(
    put, path = "/assets/metadata", tag = "Assets", operation_id = "updateBulkAssetMetadata",
    request_body = AssetMetadataBulkUpsertDto,
    responses((status = 200, body = Vec<AssetMetadataBulkResponseDto>))
)]
pub(crate) async fn update_bulk_asset_metadata(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Vec<AssetMetadataBulkResponseDto>>, Problem> {
    caller.require(Permission::AssetUpdate)?;
    let mut fields = Fields::json(&body)?;
    let entries = items(&mut fields, |fields| {
        let asset_id = asset_id(fields);
        let entry = key_value(fields)?;
        Some((AssetId::new(asset_id?), entry))
    });
    fields.finish()?;
    let keys: Vec<(Uuid, String)> =
        entries.iter().map(|(asset_id, entry)| (asset_id.uuid(), entry.key.clone())).collect();
    let changes = entries
        .into_iter()
        .map(|(asset_id, entry)| (asset_id, KeyValueChange::Set(entry)))
        .collect();
    let asset_ids = change(&api, &caller, changes).await?;
    let rows = api.queries.key_values(&asset_ids).await?;
    Ok(Json(
        rows.into_iter()
            .filter(|row| keys.contains(&(row.asset_id, row.key.clone())))
            .map(Into::into)
            .collect(),
    ))
}

/// Forgets values of assets.
#[utoipa::path(
    delete, path = "/assets/metadata", tag = "Assets", operation_id = "deleteBulkAssetMetadata",
    request_body = AssetMetadataBulkDeleteDto, responses((status = 204))
)]
pub(crate) async fn delete_bulk_asset_metadata(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetUpdate)?;
    let mut fields = Fields::json(&body)?;
    let changes = items(&mut fields, |fields| {
        let asset_id = asset_id(fields);
        let key = fields.required_string("key");
        Some((AssetId::new(asset_id?), KeyValueChange::Remove(key)))
    });
    fields.finish()?;
    change(&api, &caller, changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the values and says of which assets.
async fn change(
    api: &Api,
    caller: &Caller,
    changes: Vec<(AssetId, KeyValueChange)>,
) -> Result<Vec<Uuid>, Problem> {
    let asset_ids: Vec<AssetId> = changes.iter().map(|(asset_id, _)| *asset_id).collect();
    let assets = require_assets(api, caller, Permission::AssetUpdate, &asset_ids).await?;
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.change_key_values(&context, by, changes).await?;
    api.seen(&outcome).await;
    Ok(assets.into_iter().map(|asset| asset.asset_id).collect())
}
