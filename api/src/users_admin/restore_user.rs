//! `POST /admin/users/{id}/restore`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::UserId;
use calotype_domain::permission::Permission;
use calotype_domain::user::UserCommand;

use super::load;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::UserAdminResponseDto;

/// Takes an account back from deletion.
#[utoipa::path(
    post,
    path = "/admin/users/{id}/restore",
    operation_id = "restoreUserAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn restore_user_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserDelete)?;
    let row = load(&api, &id).await?;
    let user_id = UserId::new(row.user_id);
    let outcome = api.commands.user(&caller.context(), user_id, UserCommand::Restore).await?;
    api.seen(&outcome).await;
    Ok(Json(UserAdminResponseDto::load(&api, row.user_id).await?))
}
