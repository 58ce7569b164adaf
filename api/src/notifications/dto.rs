//! A notification as clients see it.

use calotype_domain::permission::Permission;
use calotype_projections::notifications::{NotificationFilter, NotificationView};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// How it is shown.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a word that is kept as text")]
pub(crate) enum NotificationLevel {
    Success,
    Error,
    Warning,
    Info,
}

/// What it is about.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a word that is kept as text")]
pub(crate) enum NotificationType {
    JobFailed,
    BackupFailed,
    SystemMessage,
    AlbumInvite,
    AlbumUpdate,
    Custom,
}

/// What a person is told.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationDto {
    id: Uuid,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(value_type = NotificationLevel)]
    level: String,
    #[serde(rename = "type")]
    #[schema(value_type = NotificationType)]
    kind: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    read_at: Option<String>,
}

impl From<NotificationView> for NotificationDto {
    fn from(view: NotificationView) -> Self {
        let NotificationView { row, read_at } = view;
        Self {
            id: row.notification_id,
            created_at: dates::iso(row.created_at),
            level: row.level,
            kind: row.kind,
            title: row.title,
            description: row.description,
            data: row.data,
            read_at: read_at.map(dates::iso),
        }
    }
}

/// One of a person's notifications.
pub(crate) async fn load(
    api: &Api,
    user_id: Uuid,
    notification_id: Uuid,
) -> Result<Option<NotificationDto>, Problem> {
    let filter = NotificationFilter {
        notification_id: Some(notification_id),
        ..NotificationFilter::default()
    };
    let found = api.queries.notifications(user_id, &filter).await?;
    Ok(found.into_iter().next().map(NotificationDto::from))
}

/// Whether every one of these notifications is the caller's.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn require_own(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    notification_ids: &[Uuid],
) -> Result<(), Problem> {
    let mut wanted = notification_ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let owners = api.queries.notification_owners(&wanted).await?;
    if owners.len() < wanted.len() {
        return Err(Problem::no_access(permission));
    }
    for (_, owner_id) in owners {
        caller.require_owned(permission, Some(owner_id))?;
    }
    Ok(())
}
