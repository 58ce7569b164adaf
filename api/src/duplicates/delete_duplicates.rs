//! `DELETE /duplicates` and `DELETE /duplicates/{id}`: the assets stay, they are no duplicates.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use uuid::Uuid;

use crate::bulk::{self, IdsDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Dismisses groups of duplicates; unknown ones count as dismissed.
#[utoipa::path(
    delete, path = "/duplicates", tag = "Duplicates", operation_id = "deleteDuplicates",
    request_body = IdsDto, responses((status = 204))
)]
pub(super) async fn delete_duplicates(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::DuplicateDelete)?;
    let ids = bulk::ids(&body)?;
    dismiss(&api, &caller, &ids).await
}

/// Dismisses a group of duplicates.
#[utoipa::path(
    delete, path = "/duplicates/{id}", tag = "Duplicates", operation_id = "deleteDuplicate",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_duplicate(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::DuplicateDelete)?;
    let id = path_uuid("id", &id)?;
    dismiss(&api, &caller, &[id]).await
}

async fn dismiss(api: &Api, caller: &Caller, ids: &[Uuid]) -> Result<StatusCode, Problem> {
    let by = caller.user_id();
    let members = api.queries.duplicate_groups(by.uuid(), ids).await?;
    let asset_ids: Vec<AssetId> = members.into_iter().map(|(_, id)| AssetId::new(id)).collect();
    let outcome = api.commands.dismiss_duplicates(&caller.context(), by, &asset_ids).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
