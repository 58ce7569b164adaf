//! Questions about sessions.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::view::SessionRow;
use crate::error::ProjectionError;
use crate::held_up::held_up;
use crate::query::Queries;

/// Sessions as they are, with the last use of each.
macro_rules! sessions {
    ($rest:literal) => {
        concat!(
            "select session_id, revision, user_id, token_sha256, device_type, device_os,
                    coalesce(uses.app_version, session.app_version) as app_version, parent_id,
                    is_pending_sync_reset, elevated_until, elevated_position, created_at,
                    greatest(session.updated_at, uses.used_at) as updated_at, expires_at
               from read.sessions_v2 as session
               left join work.session_uses as uses using (session_id) ",
            $rest
        )
    };
}

impl Queries {
    /// The open session whose token has this SHA-256 (hex), unless it is over, or one that it was made from is: a
    /// session that was made while its parent was closed is not among those that were closed with it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn session_by_token(
        &self,
        token_sha256: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<SessionRow>, ProjectionError> {
        Ok(sqlx::query_as(concat!(
            sessions!(
                "where token_sha256 = $1 and (expires_at is null or expires_at > $2) and not "
            ),
            held_up!("session", "session.session_id"),
            " and not exists (
                  with recursive line (session_id) as (
                      select session.parent_id
                       union
                      select older.parent_id
                        from line
                        join read.sessions_v2 as older on older.session_id = line.session_id
                  )
                  select from line
                    left join read.sessions_v2 as older on older.session_id = line.session_id
                   where line.session_id is not null
                     and (older.session_id is null or older.expires_at <= $2 or ",
            held_up!("session", "line.session_id"),
            "))"
        ))
        .bind(token_sha256)
        .bind(now)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// A person's open sessions, last changed first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sessions_of(
        &self,
        user_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Vec<SessionRow>, ProjectionError> {
        Ok(sqlx::query_as(sessions!(
            "where user_id = $1 and (expires_at is null or expires_at > $2)
                 order by updated_at desc, created_at desc"
        ))
        .bind(user_id)
        .bind(now)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Sessions that ended by themselves, or whose parent is closed; at most a thousand.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sessions_over(&self, now: DateTime<Utc>) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select session_id from read.sessions_v2 as session
              where expires_at <= $1
                 or (parent_id is not null and not exists (
                        select from read.sessions_v2 as older
                         where older.session_id = session.parent_id))
              limit 1000",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await?)
    }
}
