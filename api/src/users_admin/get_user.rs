//! `GET /admin/users`, `/admin/users/{id}` and `/admin/users/{id}/sessions`.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;
use uuid::Uuid;

use super::load;
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sessions::dto::SessionResponseDto;
use crate::state::Api;
use crate::users::dto::UserAdminResponseDto;
use crate::validate::Fields;

/// Which accounts.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct UserAdminSearchDto {
    /// Deleted ones too.
    with_deleted: Option<bool>,
    /// Only this one.
    id: Option<Uuid>,
}

/// Lists accounts, newest first.
#[utoipa::path(
    get,
    path = "/admin/users",
    operation_id = "searchUsersAdmin",
    tag = "Users (admin)",
    params(UserAdminSearchDto),
    responses((status = 200, body = Vec<UserAdminResponseDto>)),
)]
pub(super) async fn search_users_admin(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<UserAdminResponseDto>>, Problem> {
    caller.require_admin(Permission::AdminUserRead)?;
    let mut fields = Fields::query(query.as_deref());
    let dto =
        UserAdminSearchDto { with_deleted: fields.boolean("withDeleted"), id: fields.uuid("id") };
    fields.finish()?;
    admin_views::note(&api, &caller, dto.id, AdminView::Account).await?;
    let usage = api.queries.usage().await?;
    let rows = api.queries.users(dto.with_deleted.unwrap_or_default()).await?;
    let rows: Vec<_> =
        rows.into_iter().filter(|row| dto.id.is_none_or(|id| row.user_id == id)).collect();
    let user_ids: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let mut licenses = api.queries.licenses(&user_ids).await?;
    Ok(Json(
        rows.into_iter()
            .map(|row| {
                let usage_bytes = usage.get(&row.user_id).map_or(0, |usage| usage.total_bytes);
                let license = licenses.remove(&row.user_id);
                UserAdminResponseDto::new(row, usage_bytes, license)
            })
            .collect(),
    ))
}

/// One account, a deleted one included.
#[utoipa::path(
    get,
    path = "/admin/users/{id}",
    operation_id = "getUserAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn get_user_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserRead)?;
    let row = load(&api, &id).await?;
    admin_views::note(&api, &caller, Some(row.user_id), AdminView::Account).await?;
    Ok(Json(UserAdminResponseDto::load(&api, row.user_id).await?))
}

/// Where a person is logged in.
#[utoipa::path(
    get,
    path = "/admin/users/{id}/sessions",
    operation_id = "getUserSessionsAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<SessionResponseDto>)),
)]
pub(super) async fn get_user_sessions_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<SessionResponseDto>>, Problem> {
    caller.require_admin(Permission::AdminSessionRead)?;
    let row = load(&api, &id).await?;
    admin_views::note(&api, &caller, Some(row.user_id), AdminView::Sessions).await?;
    let now = api.commands.clock().now();
    let current = caller.session().map(|session| session.session_id);
    let sessions = api.queries.sessions_of(row.user_id, now).await?;
    Ok(Json(sessions.into_iter().map(|row| SessionResponseDto::new(row, current)).collect()))
}
