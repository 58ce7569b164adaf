//! Questions about notifications.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::apply::NotificationRow;
use crate::error::ProjectionError;
use crate::query::Queries;

/// Notifications listed at once, the newest.
const LISTED_MAX: i64 = 100;

/// A notification and whether it was read.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct NotificationView {
    /// What was told.
    #[sqlx(flatten)]
    pub row: NotificationRow,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// Which notifications; what is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// Only this one.
    pub notification_id: Option<Uuid>,
    /// Only those shown this way.
    pub level: Option<String>,
    /// Only those about this.
    pub kind: Option<String>,
    /// Only those that were not read.
    pub unread: bool,
}

impl Queries {
    /// A person's notifications, newest first; at most a hundred.
    ///
    /// # Errors
    /// What the database said.
    pub async fn notifications(
        &self,
        user_id: Uuid,
        filter: &NotificationFilter,
    ) -> Result<Vec<NotificationView>, ProjectionError> {
        Ok(sqlx::query_as(
            "select told.*, reads.read_at
               from read.notifications_v1 as told
               left join work.notification_reads as reads using (notification_id)
              where told.user_id = $1
                and ($2::uuid is null or told.notification_id = $2)
                and ($3::text is null or told.level = $3)
                and ($4::text is null or told.kind = $4)
                and (not $5 or reads.read_at is null)
              order by told.created_at desc, told.notification_id
              limit $6",
        )
        .bind(user_id)
        .bind(filter.notification_id)
        .bind(&filter.level)
        .bind(&filter.kind)
        .bind(filter.unread)
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whose these notifications are; those that do not exist are left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn notification_owners(
        &self,
        notification_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select notification_id, user_id from read.notifications_v1
              where notification_id = any($1)",
        )
        .bind(notification_ids)
        .fetch_all(&self.pool)
        .await?)
    }
}
