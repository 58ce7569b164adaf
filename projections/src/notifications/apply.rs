//! Events of notifications to rows of `notifications_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::notification::NotificationEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::{Event, forget_users_in_tx};
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `notifications_v1`.
pub struct NotificationsProjection;

#[async_trait]
impl Projection for NotificationsProjection {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["notifications_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["notification", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Notifications>(tx, events, |it| {
            matches!(it.what, AnyEvent::Notification(_))
        })
        .await?;
        forget_users_in_tx(tx, events, "delete from notifications_v1 where user_id = any($1)").await
    }
}

/// One notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct NotificationRow {
    /// Its id.
    pub notification_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Who is told.
    pub user_id: Uuid,
    /// Immich's word for how it is shown.
    pub level: String,
    /// Immich's word for what it is about.
    pub kind: String,
    /// The first line; empty when forgotten.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// What the app needs to open what it is about.
    pub data: Option<Value>,
    /// When it was told.
    pub created_at: DateTime<Utc>,
}

struct Notifications;

impl Fold for Notifications {
    fold_sql!("notifications_v1", "notification_id");
    type Row = NotificationRow;

    fn key(row: &NotificationRow) -> Uuid {
        row.notification_id
    }

    fn revision(row: &NotificationRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<NotificationRow>, event: &Event) -> Option<NotificationRow> {
        let AnyEvent::Notification(what) = &event.what else { return row };
        match what {
            NotificationEvent::Sent(sent) => {
                let text = sent.text.known().cloned().unwrap_or_default();
                Some(NotificationRow {
                    notification_id: event.key,
                    revision: event.revision,
                    user_id: sent.user_id.uuid(),
                    level: sent.level.as_str().to_owned(),
                    kind: sent.kind.as_str().to_owned(),
                    title: text.title,
                    description: text.description,
                    data: text.data.map(Value::Object),
                    created_at: event.recorded_at,
                })
            }
            NotificationEvent::Deleted(_) => None,
        }
    }
}
