//! What each session's phone said it has of its sync: rows in `work.sync_acks`, not events.
//!
//! They are small truth (docs/adr/0003): in backups, never made again from the log.

use sqlx::PgPool;
use uuid::Uuid;

/// The acknowledgements of all sessions.
#[derive(Clone, Debug)]
pub struct SyncAcks {
    pool: PgPool,
}

impl SyncAcks {
    /// Over a pool whose role may write the `work` schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Types and acknowledgements of a session, by type.
    ///
    /// # Errors
    /// What the database said.
    pub async fn of(&self, session_id: Uuid) -> Result<Vec<(String, String)>, sqlx::Error> {
        sqlx::query_as("select type, ack from work.sync_acks where session_id = $1 order by type")
            .bind(session_id)
            .fetch_all(&self.pool)
            .await
    }

    /// Keeps acknowledgements, each in the place of the one of its type before. No type stands twice.
    ///
    /// The commit is waited for, and with it everything that was visible when the lines were sent.
    ///
    /// # Errors
    /// What the database said; then none is kept.
    pub async fn keep(
        &self,
        session_id: Uuid,
        acks: &[(String, String)],
    ) -> Result<(), sqlx::Error> {
        if acks.is_empty() {
            return Ok(());
        }
        let (types, acks): (Vec<&str>, Vec<&str>) =
            acks.iter().map(|(kind, ack)| (kind.as_str(), ack.as_str())).unzip();
        sqlx::query(
            "insert into work.sync_acks (session_id, type, ack)
             select $1, type, ack from unnest($2::text[], $3::text[]) as fresh (type, ack)
             on conflict (session_id, type) do update set ack = excluded.ack, updated_at = now()",
        )
        .bind(session_id)
        .bind(types)
        .bind(acks)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Forgets a session's acknowledgements: of these types, or all.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget(
        &self,
        session_id: Uuid,
        types: Option<&[String]>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "delete from work.sync_acks
              where session_id = $1 and ($2::text[] is null or type = any($2))",
        )
        .bind(session_id)
        .bind(types)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
