//! `GET /stacks` and `GET /stacks/{id}`.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::permission::Permission;

use super::dto::{StackResponseDto, shown, shown_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// The caller's stacks, or the one that an asset stands for.
#[utoipa::path(
    get, path = "/stacks", tag = "Stacks", operation_id = "searchStacks",
    params(("primaryAssetId" = Option<Uuid>, Query)),
    responses((status = 200, body = Vec<StackResponseDto>))
)]
pub(super) async fn search_stacks(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<StackResponseDto>>, Problem> {
    caller.require(Permission::StackRead)?;
    let mut fields = Fields::query(query.as_deref());
    let primary_asset_id = fields.uuid("primaryAssetId");
    fields.finish()?;
    let stacks = api.queries.stacks_of(caller.user_id().uuid(), primary_asset_id).await?;
    Ok(Json(shown(&api, stacks).await?))
}

/// One stack.
#[utoipa::path(
    get, path = "/stacks/{id}", tag = "Stacks", operation_id = "getStack",
    params(("id" = Uuid, Path)), responses((status = 200, body = StackResponseDto))
)]
pub(super) async fn get_stack(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<StackResponseDto>, Problem> {
    caller.require(Permission::StackRead)?;
    let id = path_uuid("id", &id)?;
    Ok(Json(shown_one(&api, &caller, Permission::StackRead, id).await?))
}
