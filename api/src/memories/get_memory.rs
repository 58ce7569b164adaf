//! `GET /memories/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::dto::{MemoryResponseDto, shown_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// One memory.
#[utoipa::path(
    get, path = "/memories/{id}", tag = "Memories", operation_id = "getMemory",
    params(("id" = Uuid, Path)), responses((status = 200, body = MemoryResponseDto))
)]
pub(super) async fn get_memory(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<MemoryResponseDto>, Problem> {
    caller.require(Permission::MemoryRead)?;
    let id = path_uuid("id", &id)?;
    Ok(Json(shown_one(&api, &caller, Permission::MemoryRead, id).await?))
}
