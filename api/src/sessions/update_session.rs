//! `PUT /sessions/{id}`: asks a session's app to start its sync anew.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::SessionId;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::{SessionResponseDto, own_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct SessionUpdateDto {
    is_pending_sync_reset: Option<bool>,
}

impl SessionUpdateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self { is_pending_sync_reset: fields.boolean("isPendingSyncReset") };
        fields.finish()?;
        Ok(dto)
    }
}

/// Changes a session of the caller's.
#[utoipa::path(
    put,
    path = "/sessions/{id}",
    operation_id = "updateSession",
    tag = "Sessions",
    params(("id" = Uuid, Path)),
    request_body = SessionUpdateDto,
    responses((status = 200, body = SessionResponseDto)),
)]
pub(super) async fn update_session(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<SessionResponseDto>, Problem> {
    caller.require(Permission::SessionUpdate)?;
    let session_id = path_uuid("id", &id)?;
    let dto = SessionUpdateDto::parse(&body)?;
    own_one(&api, &caller, session_id, Permission::SessionUpdate).await?;
    let pending =
        dto.is_pending_sync_reset.ok_or_else(|| Problem::bad_request("No fields to update"))?;
    let outcome = api
        .commands
        .set_session_sync_reset(
            &caller.context(),
            caller.user_id(),
            SessionId::new(session_id),
            pending,
        )
        .await?;
    api.seen(&outcome).await;
    let row = own_one(&api, &caller, session_id, Permission::SessionUpdate).await?;
    let current = caller.session().map(|row| row.session_id);
    Ok(Json(SessionResponseDto::new(row, current)))
}
