//! `POST /trash/restore`: takes everything out of the caller's trash.

use axum::Json;
use axum::extract::State;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;

use super::routes::TrashResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Takes everything out of the trash.
#[utoipa::path(
    post, path = "/trash/restore", tag = "Trash", operation_id = "restoreTrash",
    responses((status = 200, body = TrashResponseDto))
)]
pub(crate) async fn restore_trash(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<TrashResponseDto>, Problem> {
    caller.require(Permission::AssetDelete)?;
    let trashed = api.queries.trash_of(caller.user_id().uuid()).await?;
    let asset_ids: Vec<AssetId> = trashed.into_iter().map(AssetId::new).collect();
    let outcome =
        api.commands.restore_assets(&caller.context(), caller.user_id(), &asset_ids).await?;
    api.seen(&outcome).await;
    Ok(Json(TrashResponseDto { count: asset_ids.len() }))
}
