//! `POST /trash/restore/assets`: takes some assets out of the trash.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::routes::TrashResponseDto;
use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Which ones.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct BulkIdsDto {
    ids: Vec<Uuid>,
}

/// Takes some assets out of the trash.
#[utoipa::path(
    post, path = "/trash/restore/assets", tag = "Trash", operation_id = "restoreAssets",
    request_body = BulkIdsDto, responses((status = 200, body = TrashResponseDto))
)]
pub(crate) async fn restore_assets(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<TrashResponseDto>, Problem> {
    caller.require(Permission::AssetDelete)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("ids");
    fields.finish()?;
    let assets = require_assets(&api, &caller, Permission::AssetDelete, &asset_ids).await?;
    api.caches.owners.learn(&assets);
    let outcome =
        api.commands.restore_assets(&caller.context(), caller.user_id(), &asset_ids).await?;
    api.seen(&outcome).await;
    // Immich counts what was asked for, not what was in the trash.
    Ok(Json(TrashResponseDto { count: asset_ids.len() }))
}
