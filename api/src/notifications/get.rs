//! `GET /notifications` and `/notifications/{id}`.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::notification as domain;
use calotype_domain::permission::Permission;
use calotype_projections::notifications::NotificationFilter;
use uuid::Uuid;

use super::dto::{NotificationDto, NotificationLevel, NotificationType, load, require_own};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Which notifications.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a query that is checked field by field")]
pub(crate) struct NotificationSearchDto {
    id: Option<Uuid>,
    level: Option<NotificationLevel>,
    #[param(rename = "type")]
    kind: Option<NotificationType>,
    /// Only those that were not read.
    unread: Option<bool>,
}

/// Lists the caller's notifications, newest first; at most a hundred.
#[utoipa::path(
    get,
    path = "/notifications",
    operation_id = "getNotifications",
    tag = "Notifications",
    params(NotificationSearchDto),
    responses((status = 200, body = Vec<NotificationDto>)),
)]
pub(super) async fn get_notifications(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<NotificationDto>>, Problem> {
    caller.require(Permission::NotificationRead)?;
    let mut fields = Fields::query(query.as_deref());
    let filter = NotificationFilter {
        notification_id: fields.uuid("id"),
        level: fields.option("level", &domain::NotificationLevel::WORDS),
        kind: fields.option("type", &domain::NotificationKind::WORDS),
        unread: fields.boolean("unread").unwrap_or_default(),
    };
    fields.finish()?;
    let found = api.queries.notifications(caller.user_id().uuid(), &filter).await?;
    Ok(Json(found.into_iter().map(NotificationDto::from).collect()))
}

/// One of the caller's notifications.
#[utoipa::path(
    get,
    path = "/notifications/{id}",
    operation_id = "getNotification",
    tag = "Notifications",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = NotificationDto)),
)]
pub(super) async fn get_notification(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<NotificationDto>, Problem> {
    caller.require(Permission::NotificationRead)?;
    let id = path_uuid("id", &id)?;
    require_own(&api, &caller, Permission::NotificationRead, &[id]).await?;
    let found = load(&api, caller.user_id().uuid(), id).await?;
    found.map(Json).ok_or_else(|| Problem::no_access(Permission::NotificationRead))
}
