//! Events of sessions to rows of `sessions_v2`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::session::SessionEvent;
use calotype_domain::user::UserEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::SessionRow;
use crate::error::ProjectionError;
use crate::event::{Event, forget_users_in_tx};
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `sessions_v2`.
pub struct SessionsProjection;

#[async_trait]
impl Projection for SessionsProjection {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn version(&self) -> u16 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sessions_v2"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["session", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Sessions>(tx, events, |it| matches!(it.what, AnyEvent::Session(_)))
            .await?;
        lock_in_tx(tx, events).await?;
        // What they were called is personal, and nothing more is heard of them.
        forget_users_in_tx(tx, events, "delete from sessions_v2 where user_id = any($1)").await
    }
}

/// Locks what a PIN had unlocked before it was removed.
async fn lock_in_tx(tx: &mut PgConnection, events: &[&Event]) -> Result<(), ProjectionError> {
    let removed = events
        .iter()
        .filter(|event| matches!(event.what, AnyEvent::User(UserEvent::PinRemoved(_))));
    let (user_ids, positions): (Vec<Uuid>, Vec<i64>) =
        removed.map(|event| (event.key, event.position.get())).unzip();
    if user_ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update sessions_v2
            set elevated_until = null, elevated_position = null
           from unnest($1::uuid[], $2::bigint[]) as removed (by_user, at)
          where user_id = by_user and elevated_position < at",
    )
    .bind(&user_ids)
    .bind(&positions)
    .execute(tx)
    .await?;
    Ok(())
}

struct Sessions;

impl Fold for Sessions {
    fold_sql!("sessions_v2", "session_id");
    type Row = SessionRow;

    fn key(row: &SessionRow) -> Uuid {
        row.session_id
    }

    fn revision(row: &SessionRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<SessionRow>, event: &Event) -> Option<SessionRow> {
        let AnyEvent::Session(what) = &event.what else { return row };
        match what {
            SessionEvent::Opened(opened) => {
                let device = opened.device.known().cloned().unwrap_or_default();
                Some(SessionRow {
                    session_id: event.key,
                    revision: event.revision,
                    user_id: opened.user_id.uuid(),
                    token_sha256: opened.token_sha256.clone(),
                    device_type: device.device_type,
                    device_os: device.device_os,
                    app_version: device.app_version,
                    parent_id: opened.parent_id.map(calotype_domain::SessionId::uuid),
                    is_pending_sync_reset: false,
                    elevated_until: None,
                    elevated_position: None,
                    created_at: event.recorded_at,
                    updated_at: event.recorded_at,
                    expires_at: opened.expires_at,
                })
            }
            SessionEvent::SyncResetChanged(changed) => row.map(|row| SessionRow {
                revision: event.revision,
                is_pending_sync_reset: changed.pending,
                updated_at: event.recorded_at,
                ..row
            }),
            SessionEvent::Unlocked(unlocked) => row.map(|row| SessionRow {
                revision: event.revision,
                elevated_until: Some(unlocked.until),
                elevated_position: Some(event.position.get()),
                updated_at: event.recorded_at,
                ..row
            }),
            SessionEvent::UnlockExtended(extended) => row.map(|row| SessionRow {
                revision: event.revision,
                // Without the PIN that unlocked it there is nothing to extend.
                elevated_until: row.elevated_until.map(|_| extended.until),
                ..row
            }),
            SessionEvent::Locked(_) => row.map(|row| SessionRow {
                revision: event.revision,
                elevated_until: None,
                elevated_position: None,
                updated_at: event.recorded_at,
                ..row
            }),
            SessionEvent::Closed(_) => None,
        }
    }
}
