//! `GET /sessions`: where the caller is logged in.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;

use super::dto::{SessionResponseDto, own};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Lists the caller's sessions.
#[utoipa::path(
    get,
    path = "/sessions",
    operation_id = "getSessions",
    tag = "Sessions",
    responses((status = 200, body = Vec<SessionResponseDto>)),
)]
pub(super) async fn get_sessions(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<SessionResponseDto>>, Problem> {
    caller.require(Permission::SessionRead)?;
    let current = caller.session().map(|row| row.session_id);
    let rows = own(&api, &caller).await?;
    Ok(Json(rows.into_iter().map(|row| SessionResponseDto::new(row, current)).collect()))
}
