//! `GET /users` and `GET /users/{id}`: accounts as everybody may see them.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::dto::{UserResponseDto, not_found};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Lists every account that is not deleted, newest first; the caller alone where administrators wish so.
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "searchUsers",
    tag = "Users",
    responses((status = 200, body = Vec<UserResponseDto>)),
)]
pub(super) async fn search_users(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<UserResponseDto>>, Problem> {
    caller.require(Permission::UserRead)?;
    let all = caller.user().is_admin || api.queries.settings().await?.is_on("server.publicUsers");
    let own = caller.user_id().uuid();
    let rows = api.queries.users(false).await?;
    let shown = rows.into_iter().filter(|row| all || row.user_id == own);
    Ok(Json(shown.map(UserResponseDto::from).collect()))
}

/// One account.
#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "getUser",
    tag = "Users",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserResponseDto)),
)]
pub(super) async fn get_user(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UserResponseDto>, Problem> {
    caller.require(Permission::UserRead)?;
    let row = api.queries.user(path_uuid("id", &id)?).await?;
    let row = row.filter(|row| row.deleted_at.is_none()).ok_or_else(not_found)?;
    Ok(Json(row.into()))
}
