//! When each session was last used, and with which version of the app: rows in `work.session_uses`, not events.
//!
//! They are small truth (docs/adr/0003): in backups, never made again from the log.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// How much later a use must be than the last one to be kept.
pub const USE_KEPT_EVERY: TimeDelta = TimeDelta::hours(1);
/// Uses older than this are of sessions that are long gone.
const USE_KEPT_DAYS: i32 = 400;

/// The uses of all sessions.
#[derive(Clone, Debug)]
pub struct SessionUses {
    pool: PgPool,
}

impl SessionUses {
    /// Over a pool whose role may write the `work` schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Keeps that a session is used now. Without a version the last one stays.
    ///
    /// # Errors
    /// What the database said.
    pub async fn keep(
        &self,
        session_id: Uuid,
        now: DateTime<Utc>,
        app_version: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "with old as (
                 delete from work.session_uses where used_at < $2 - make_interval(days => $4)
             )
             insert into work.session_uses as kept (session_id, used_at, app_version)
             values ($1, $2, $3)
             on conflict (session_id) do update
                set used_at = greatest(kept.used_at, excluded.used_at),
                    app_version = coalesce(excluded.app_version, kept.app_version)",
        )
        .bind(session_id)
        .bind(now)
        .bind(app_version)
        .bind(USE_KEPT_DAYS)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Forgets a session.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget(&self, session_id: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query("delete from work.session_uses where session_id = $1")
            .bind(session_id)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}
