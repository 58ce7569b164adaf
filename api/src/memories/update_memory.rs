//! `PUT /memories/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::MemoryId;
use calotype_domain::memory::{MemoryChange, MemoryCommand};
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::{MemoryResponseDto, own_one, shown_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about a memory.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct MemoryUpdateDto {
    is_saved: Option<bool>,
    memory_at: Option<String>,
    seen_at: Option<String>,
}

/// Changes one of the caller's memories.
#[utoipa::path(
    put, path = "/memories/{id}", tag = "Memories", operation_id = "updateMemory",
    params(("id" = Uuid, Path)), request_body = MemoryUpdateDto,
    responses((status = 200, body = MemoryResponseDto))
)]
pub(super) async fn update_memory(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<MemoryResponseDto>, Problem> {
    caller.require(Permission::MemoryUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let change = MemoryChange {
        is_saved: fields.boolean("isSaved"),
        memory_at: fields.datetime("memoryAt").map(|date| date.to_utc()),
        seen_at: fields.datetime("seenAt").map(|date| date.to_utc()),
    };
    fields.finish()?;
    own_one(&api, &caller, Permission::MemoryUpdate, id).await?;
    let command = MemoryCommand::Change { by: caller.user_id(), change };
    let outcome = api.commands.memory(&caller.context(), MemoryId::new(id), &command).await?;
    api.seen(&outcome).await;
    Ok(Json(shown_one(&api, &caller, Permission::MemoryUpdate, id).await?))
}
