//! Telling people something, and the marks of what they have read.

use calotype_domain::notification::{
    Notification, NotificationCommand, NotificationError, NotificationEvent, NotificationSent,
};
use calotype_domain::{DecodeError, NotificationId, UserId};
use calotype_eventstore::StreamId;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::users::subject as user_subject;

pub(crate) fn stream(notification_id: NotificationId) -> StreamId {
    StreamId::new("notification", notification_id)
}

impl Unit<'_> {
    /// Tells a person something, in this transaction. The id is a new one.
    ///
    /// # Errors
    /// When the event cannot be written as JSON.
    pub(crate) fn tell(
        &mut self,
        notification_id: NotificationId,
        sent: NotificationSent,
    ) -> Result<(), DecodeError> {
        let subject = Some(user_subject(sent.user_id));
        self.record::<NotificationEvent>(None, stream(notification_id), subject, &[sent.into()])
    }
}

impl Commands {
    /// Tells a person something; says its id and where it was written.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn notify(
        &self,
        ctx: &CommandContext,
        sent: NotificationSent,
    ) -> Result<(NotificationId, Outcome), CommandError<NotificationError>> {
        let notification_id = NotificationId::new(self.ids.v4());
        let subject = Some(user_subject(sent.user_id));
        let command = NotificationCommand::Send(sent);
        let outcome =
            self.dispatch::<Notification>(ctx, stream(notification_id), subject, &command).await?;
        Ok((notification_id, outcome))
    }

    /// Takes notifications away: all or none.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_notifications(
        &self,
        ctx: &CommandContext,
        by: UserId,
        notification_ids: &[NotificationId],
    ) -> Result<Outcome, CommandError<NotificationError>> {
        let command = NotificationCommand::Delete { by };
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            for notification_id in notification_ids {
                unit.apply::<Notification>(stream(*notification_id), None, &command).await?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

/// What people have read: rows in `work.notification_reads`, not events.
///
/// They are small truth (docs/adr/0003): in backups, never made again from the log.
#[derive(Clone, Debug)]
pub struct NotificationMarks {
    pool: PgPool,
}

impl NotificationMarks {
    /// Over a pool whose role may write the `work` schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Marks notifications as read at an instant, or as not read.
    ///
    /// # Errors
    /// What the database said; then none is marked.
    pub async fn mark(
        &self,
        notification_ids: &[NotificationId],
        read_at: Option<DateTime<Utc>>,
    ) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = notification_ids.iter().map(|id| id.uuid()).collect();
        let Some(read_at) = read_at else {
            return sqlx::query(
                "delete from work.notification_reads where notification_id = any($1)",
            )
            .bind(&ids)
            .execute(&self.pool)
            .await
            .map(drop);
        };
        sqlx::query(
            "insert into work.notification_reads (notification_id, read_at)
             select notification_id, $2 from unnest($1::uuid[]) as read (notification_id)
             on conflict (notification_id) do update set read_at = excluded.read_at",
        )
        .bind(&ids)
        .bind(read_at)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
