//! A memory as Immich's REST API shows it, and the checks that operations on memories share.

use std::collections::HashMap;

use calotype_commands::CommandError;
use calotype_domain::memory::MemoryError;
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use calotype_projections::memories::MemoryRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::allowed_assets;
use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// Immich's words for the kinds of memories.
pub(super) const TYPES: &[&str] = &["on_this_day"];

/// What an on-this-day memory is about.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct OnThisDayDto {
    pub(super) year: i32,
}

/// A memory with those of its assets that show.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemoryResponseDto {
    id: Uuid,
    created_at: String,
    updated_at: String,
    memory_at: String,
    /// Never there: memories go for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hide_at: Option<String>,
    owner_id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    data: OnThisDayDto,
    is_saved: bool,
    assets: Vec<AssetResponseDto>,
}

impl MemoryResponseDto {
    fn of(memory: &MemoryRow, assets: Vec<AssetResponseDto>) -> Self {
        Self {
            id: memory.memory_id,
            created_at: dates::iso(memory.created_at),
            updated_at: dates::iso(memory.updated_at),
            memory_at: dates::iso(memory.memory_at),
            deleted_at: None,
            seen_at: memory.seen_at.map(dates::iso),
            show_at: memory.show_at.map(dates::iso),
            hide_at: memory.hide_at.map(dates::iso),
            owner_id: memory.owner_id,
            kind: "on_this_day",
            data: OnThisDayDto { year: memory.year },
            is_saved: memory.is_saved,
            assets,
        }
    }
}

/// Memories with those of their assets that the caller may see now and that are on the timeline.
pub(super) async fn shown(
    api: &Api,
    caller: &Caller,
    memories: Vec<MemoryRow>,
) -> Result<Vec<MemoryResponseDto>, Problem> {
    let wanted: Vec<Uuid> = memories.iter().flat_map(|memory| memory.asset_ids.clone()).collect();
    let rows: HashMap<Uuid, AssetRow> = allowed_assets(api, caller, Permission::AssetRead, &wanted)
        .await?
        .into_iter()
        .filter(|row| row.trashed_at.is_none() && row.visibility == "timeline")
        .map(|row| {
            let is_own = row.owner_id == caller.user_id().uuid();
            (row.asset_id, if is_own { row } else { row.as_seen_by_others() })
        })
        .collect();
    Ok(memories
        .into_iter()
        .map(|memory| {
            let assets = memory
                .asset_ids
                .iter()
                .filter_map(|id| rows.get(id).cloned())
                .map(AssetResponseDto::nested)
                .collect();
            MemoryResponseDto::of(&memory, assets)
        })
        .collect())
}

/// One memory that the caller may use for `permission`.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn own_one(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    memory_id: Uuid,
) -> Result<MemoryRow, Problem> {
    let memory = api.queries.memory(memory_id).await?;
    caller.require_owned(permission, memory.as_ref().map(|memory| memory.owner_id))?;
    memory.ok_or_else(|| Problem::no_access(permission))
}

/// One memory as it is shown.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn shown_one(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    memory_id: Uuid,
) -> Result<MemoryResponseDto, Problem> {
    let memory = own_one(api, caller, permission, memory_id).await?;
    let mut shown = shown(api, caller, vec![memory]).await?;
    shown.pop().ok_or_else(|| Problem::no_access(permission))
}

impl From<CommandError<MemoryError>> for Problem {
    fn from(error: CommandError<MemoryError>) -> Self {
        Self::command(error, |refusal| match refusal {
            MemoryError::NotFound | MemoryError::AlreadyExists => {
                Self::no_access(Permission::MemoryUpdate)
            }
            MemoryError::TooManyAssets => Self::bad_request(refusal.to_string()),
        })
    }
}
