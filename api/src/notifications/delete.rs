//! `DELETE /notifications` and `/notifications/{id}`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::NotificationId;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change::required_ids;
use super::dto::require_own;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Which notifications.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct NotificationDeleteAllDto {
    #[schema(min_items = 1)]
    ids: Vec<Uuid>,
}

/// Takes notifications away.
#[utoipa::path(
    delete,
    path = "/notifications",
    operation_id = "deleteNotifications",
    tag = "Notifications",
    request_body = NotificationDeleteAllDto,
    responses((status = 204)),
)]
pub(super) async fn delete_notifications(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::NotificationDelete)?;
    let mut fields = Fields::json(&body)?;
    let ids = required_ids(&mut fields);
    fields.finish()?;
    delete(&api, &caller, &ids).await
}

/// Takes a notification away.
#[utoipa::path(
    delete,
    path = "/notifications/{id}",
    operation_id = "deleteNotification",
    tag = "Notifications",
    params(("id" = Uuid, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete_notification(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::NotificationDelete)?;
    delete(&api, &caller, &[path_uuid("id", &id)?]).await
}

async fn delete(api: &Api, caller: &Caller, ids: &[Uuid]) -> Result<StatusCode, Problem> {
    require_own(api, caller, Permission::NotificationDelete, ids).await?;
    let mut ids: Vec<NotificationId> = ids.iter().copied().map(NotificationId::new).collect();
    ids.sort_unstable();
    ids.dedup();
    let outcome =
        api.commands.delete_notifications(&caller.context(), caller.user_id(), &ids).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
