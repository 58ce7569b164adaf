//! `PUT /notifications` and `/notifications/{id}`: marking as read.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::NotificationId;
use calotype_domain::permission::Permission;
use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{NotificationDto, load, require_own};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// When it was read; `null` for not read.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct NotificationUpdateDto {
    #[schema(format = DateTime, value_type = Option<String>)]
    read_at: Option<DateTime<Utc>>,
}

/// When these were read; `null` for not read.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct NotificationUpdateAllDto {
    #[schema(min_items = 1)]
    ids: Vec<Uuid>,
    #[schema(format = DateTime, value_type = Option<String>)]
    read_at: Option<DateTime<Utc>>,
}

/// An instant, nothing for `null`; `None` when the field is not there.
fn read_at(fields: &mut Fields) -> Option<Option<DateTime<Utc>>> {
    const NAME: &str = "readAt";
    if !fields.has(NAME) {
        return None;
    }
    if fields.is_null(NAME) {
        return Some(None);
    }
    Some(fields.datetime(NAME).map(|instant| instant.to_utc()))
}

/// Ids, of which there must be one.
pub(super) fn required_ids(fields: &mut Fields) -> Vec<Uuid> {
    let ids: Vec<Uuid> = fields.required_uuids("ids").into_iter().map(|id| id.uuid()).collect();
    if fields.take("ids").is_some_and(|ids| ids.as_array().is_some_and(Vec::is_empty)) {
        fields.issue(serde_json::json!({
            "origin": "array", "code": "too_small", "minimum": 1, "inclusive": true,
            "path": ["ids"], "message": "Too small: expected array to have >=1 items"
        }));
    }
    ids
}

async fn mark(api: &Api, ids: &[Uuid], read_at: Option<DateTime<Utc>>) -> Result<(), Problem> {
    let ids: Vec<NotificationId> = ids.iter().copied().map(NotificationId::new).collect();
    api.notification_marks.mark(&ids, read_at).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "cannot keep what was read");
        Problem::unavailable()
    })
}

/// Marks notifications as read, or as not read.
#[utoipa::path(
    put,
    path = "/notifications",
    operation_id = "updateNotifications",
    tag = "Notifications",
    request_body = NotificationUpdateAllDto,
    responses((status = 204)),
)]
pub(super) async fn update_notifications(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::NotificationUpdate)?;
    let mut fields = Fields::json(&body)?;
    let ids = required_ids(&mut fields);
    let read_at = read_at(&mut fields);
    fields.finish()?;
    require_own(&api, &caller, Permission::NotificationUpdate, &ids).await?;
    if let Some(read_at) = read_at {
        mark(&api, &ids, read_at).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Marks a notification as read, or as not read.
#[utoipa::path(
    put,
    path = "/notifications/{id}",
    operation_id = "updateNotification",
    tag = "Notifications",
    params(("id" = Uuid, Path)),
    request_body = NotificationUpdateDto,
    responses((status = 200, body = NotificationDto)),
)]
pub(super) async fn update_notification(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<NotificationDto>, Problem> {
    caller.require(Permission::NotificationUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let read_at = read_at(&mut fields);
    fields.finish()?;
    require_own(&api, &caller, Permission::NotificationUpdate, &[id]).await?;
    if let Some(read_at) = read_at {
        mark(&api, &[id], read_at).await?;
    }
    let found = load(&api, caller.user_id().uuid(), id).await?;
    found.map(Json).ok_or_else(|| Problem::no_access(Permission::NotificationUpdate))
}
