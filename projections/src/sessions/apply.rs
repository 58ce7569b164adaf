//! Events of sessions to rows of `sessions_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::session::SessionEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::SessionRow;
use crate::error::ProjectionError;
use crate::event::{Event, purged_users};
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `sessions_v1`.
pub struct SessionsProjection;

#[async_trait]
impl Projection for SessionsProjection {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sessions_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["session", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let own: Vec<&Event> = events
            .iter()
            .copied()
            .filter(|event| matches!(event.what, AnyEvent::Session(_)))
            .collect();
        fold_in_tx::<Sessions>(tx, &own).await?;
        // What they were called is personal, and nothing more is heard of them.
        let gone = purged_users(events);
        if !gone.is_empty() {
            sqlx::query("delete from sessions_v1 where user_id = any($1)")
                .bind(&gone)
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}

struct Sessions;

impl Fold for Sessions {
    fold_sql!("sessions_v1", "session_id");
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
            SessionEvent::Closed(_) => None,
        }
    }
}
