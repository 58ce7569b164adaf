//! `POST /trash/empty`: deletes for good what is in the caller's trash.

use axum::Json;
use axum::extract::State;
use calotype_domain::AssetId;
use calotype_domain::asset::Purging;
use calotype_domain::permission::Permission;
use uuid::Uuid;

use super::routes::TrashResponseDto;
use crate::assets::delete_assets::purge;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Assets read and deleted in one go.
const PART_ASSETS_MAX: usize = 500;

/// Deletes for good what is in the trash.
#[utoipa::path(
    post, path = "/trash/empty", tag = "Trash", operation_id = "emptyTrash",
    responses((status = 200, body = TrashResponseDto))
)]
pub(crate) async fn empty_trash(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<TrashResponseDto>, Problem> {
    caller.require(Permission::AssetDelete)?;
    let in_trash = api.queries.trash_of(caller.user_id().uuid()).await?;
    let holds = api.commands.holds().await?;
    let hold_of = |id: &Uuid| holds.of_asset(AssetId::new(*id), caller.user_id());
    let (held, asset_ids): (Vec<Uuid>, Vec<Uuid>) =
        in_trash.into_iter().partition(|id| hold_of(id).is_some());
    for part in asset_ids.chunks(PART_ASSETS_MAX) {
        let assets = api.queries.assets(part).await?;
        let by = Some(caller.user_id());
        purge(&api, &caller, assets, Purging::Trash { by }).await?;
    }
    // The rest is gone by now; of what stays the reason is told.
    if let Some(held) = held.first().and_then(hold_of) {
        return Err(Problem::held(held));
    }
    Ok(Json(TrashResponseDto { count: asset_ids.len() }))
}
