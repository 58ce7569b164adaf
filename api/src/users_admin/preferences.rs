//! `GET` and `PUT /admin/users/{id}/preferences`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::UserId;
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;

use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::preferences::{
    Changes, UserPreferencesResponseDto, UserPreferencesUpdateDto, change, load,
};
use crate::validate::path_uuid;

/// A person's preferences.
#[utoipa::path(
    get,
    path = "/admin/users/{id}/preferences",
    operation_id = "getUserPreferencesAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserPreferencesResponseDto)),
)]
pub(super) async fn get_user_preferences_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UserPreferencesResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserRead)?;
    let user_id = UserId::new(path_uuid("id", &id)?);
    let preferences = load(&api, user_id).await?;
    admin_views::note(&api, &caller, Some(user_id.uuid()), AdminView::Preferences).await?;
    Ok(Json(preferences))
}

/// Changes a person's preferences.
#[utoipa::path(
    put,
    path = "/admin/users/{id}/preferences",
    operation_id = "updateUserPreferencesAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    request_body = UserPreferencesUpdateDto,
    responses((status = 200, body = UserPreferencesResponseDto)),
)]
pub(super) async fn update_user_preferences_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<UserPreferencesResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserUpdate)?;
    let user_id = UserId::new(path_uuid("id", &id)?);
    let changes = Changes::parse(&body)?;
    Ok(Json(change(&api, &caller, user_id, changes).await?))
}
