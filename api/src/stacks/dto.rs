//! A stack as Immich's REST API shows it, and the checks that operations on stacks share.

use std::collections::HashMap;

use calotype_commands::CommandError;
use calotype_domain::permission::Permission;
use calotype_domain::stack::{STACK_ASSETS_MAX, StackError};
use calotype_projections::assets::AssetRow;
use calotype_projections::stacks::StackRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// A stack with those of its assets that show.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StackResponseDto {
    id: Uuid,
    primary_asset_id: Uuid,
    assets: Vec<AssetResponseDto>,
}

/// Stacks with their assets, the primary one first, then in the order they were stacked in.
pub(super) async fn shown(
    api: &Api,
    stacks: Vec<StackRow>,
) -> Result<Vec<StackResponseDto>, Problem> {
    let wanted: Vec<Uuid> = stacks.iter().flat_map(|stack| stack.asset_ids.clone()).collect();
    let rows: HashMap<Uuid, AssetRow> = api
        .queries
        .assets(&wanted)
        .await?
        .into_iter()
        .filter(|row| {
            row.trashed_at.is_none() && matches!(row.visibility.as_str(), "timeline" | "archive")
        })
        .map(|row| (row.asset_id, row))
        .collect();
    Ok(stacks
        .into_iter()
        .filter_map(|stack| {
            let primary_asset_id = stack.primary_asset_id?;
            let others = stack.asset_ids.into_iter().filter(|id| *id != primary_asset_id);
            let assets = std::iter::once(primary_asset_id)
                .chain(others)
                .filter_map(|id| rows.get(&id).cloned())
                .map(AssetResponseDto::nested)
                .collect();
            Some(StackResponseDto { id: stack.stack_id, primary_asset_id, assets })
        })
        .collect())
}

/// The stacks of a list, every one of which the caller may use for `permission`.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn own(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    stack_ids: &[Uuid],
) -> Result<Vec<StackRow>, Problem> {
    let stacks = api.queries.stacks(stack_ids).await?;
    for id in stack_ids {
        let stack = stacks.iter().find(|stack| stack.stack_id == *id);
        caller.require_owned(permission, stack.map(|stack| stack.owner_id))?;
    }
    Ok(stacks)
}

/// One stack as it is shown.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn shown_one(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    stack_id: Uuid,
) -> Result<StackResponseDto, Problem> {
    let stacks = own(api, caller, permission, &[stack_id]).await?;
    shown(api, stacks).await?.pop().ok_or_else(|| Problem::no_access(permission))
}

/// Remembers whose the assets of stacks are, for what is told and dropped by person.
pub(super) async fn learn_owners(api: &Api, stacks: &[StackRow]) -> Result<(), Problem> {
    let asset_ids: Vec<Uuid> = stacks.iter().flat_map(|stack| stack.asset_ids.clone()).collect();
    api.caches.owners.learn(&api.queries.assets(&asset_ids).await?);
    Ok(())
}

impl From<CommandError<StackError>> for Problem {
    fn from(error: CommandError<StackError>) -> Self {
        Self::command(error, |refusal| match refusal {
            StackError::NotFound | StackError::AlreadyExists => {
                Self::no_access(Permission::StackUpdate)
            }
            StackError::BadAsset => Self::no_access(Permission::AssetUpdate),
            StackError::NotInStack(_) => Self::bad_request("Asset not in stack"),
            StackError::IsPrimary(_) => Self::bad_request("Cannot remove stack's primary asset"),
            StackError::BadSize => {
                Self::bad_request(format!("A stack has 2 to {STACK_ASSETS_MAX} assets"))
            }
        })
    }
}
