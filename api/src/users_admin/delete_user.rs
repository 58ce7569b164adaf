//! `DELETE /admin/users/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::UserId;
use calotype_domain::permission::Permission;
use calotype_domain::user::UserCommand;
use utoipa::ToSchema;

use super::load_active;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::UserAdminResponseDto;
use crate::validate::{Fields, path_uuid};

/// How to delete.
#[derive(ToSchema)]
pub(crate) struct UserAdminDeleteDto {
    /// Purge without waiting.
    force: Option<bool>,
}

/// Marks an account for deletion; it can be restored for a while unless it is forced.
#[utoipa::path(
    delete,
    path = "/admin/users/{id}",
    operation_id = "deleteUserAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    request_body = UserAdminDeleteDto,
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn delete_user_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserDelete)?;
    path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let dto = UserAdminDeleteDto { force: fields.boolean("force") };
    fields.finish()?;
    let row = load_active(&api, &id).await?;
    if row.user_id == caller.user_id().uuid() {
        return Err(Problem::forbidden("Cannot delete your own account"));
    }
    let usage_bytes = api.queries.usage_bytes(row.user_id).await?;
    let wish = UserCommand::Delete { force: dto.force.unwrap_or_default() };
    let user_id = UserId::new(row.user_id);
    let outcome = api.commands.user(&caller.context(), user_id, wish).await?;
    api.surely_seen(&outcome).await?;
    // A forced deletion may already be done; then the account is shown as it was, marked.
    let row = match api.queries.user(row.user_id).await? {
        Some(row) if !row.email.is_empty() => row,
        _ => calotype_projections::users::UserRow {
            deleted_at: row.deleted_at.or_else(|| Some(api.commands.clock().now())),
            delete_forced: dto.force.unwrap_or_default(),
            ..row
        },
    };
    let license = api.queries.licenses(&[row.user_id]).await?.remove(&row.user_id);
    Ok(Json(UserAdminResponseDto::new(row, usage_bytes, license)))
}
