//! Streams that a projection could not apply, and assets that a processor gave up on.
//!
//! A projection that cannot apply an event parks that stream: this event and all later ones of the
//! stream wait in `work.parked`, in order, and the rest of the log flows on.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::query::Queries;

/// Parked rows listed at once.
const LISTED_MAX: i64 = 1_000;

/// One parked event.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct Parked {
    /// `projection` or `processor`.
    pub kind: String,
    /// Whose work it is.
    pub name: String,
    /// The stream.
    pub stream_id: String,
    /// The event.
    pub event_id: Uuid,
    /// The event's place in the log.
    pub position: i64,
    /// A short code.
    pub code: String,
    /// Why, for a person.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when.
    pub parked_at: DateTime<Utc>,
}

impl Queries {
    /// What is parked, oldest first; at most a thousand.
    ///
    /// # Errors
    /// What the database said.
    pub async fn parked(&self) -> Result<Vec<Parked>, ProjectionError> {
        Ok(sqlx::query_as(
            "select kind, name, stream_id, event_id, position, coalesce(code, '') as code,
                    reason, attempts, parked_at
               from work.parked
              order by position
              limit $1",
        )
        .bind(LISTED_MAX)
        .fetch_all(&self.pool)
        .await?)
    }
}

/// The streams parked for a projection.
pub(crate) async fn streams_in_tx(
    tx: &mut PgConnection,
    projection: &str,
) -> Result<HashSet<String>, ProjectionError> {
    let streams: Vec<String> = sqlx::query_scalar(
        "select distinct stream_id from work.parked where kind = 'projection' and name = $1",
    )
    .bind(projection)
    .fetch_all(tx)
    .await?;
    Ok(streams.into_iter().collect())
}

/// Parks one event for a projection.
pub(crate) async fn park_in_tx(
    tx: &mut PgConnection,
    projection: &str,
    event: &Event,
    code: &str,
    reason: &str,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "insert into work.parked
                (kind, name, stream_id, event_id, position, type, reason, code, attempts, parked_at)
         values ('projection', $1, $2, $3, $4, '', $5, $6, 1, now())
         on conflict do nothing",
    )
    .bind(projection)
    .bind(&event.stream_id)
    .bind(event.event_id)
    .bind(event.position.get())
    .bind(reason)
    .bind(code)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets what was parked for a projection, because it starts from zero.
pub(crate) async fn clear_in_tx(
    tx: &mut PgConnection,
    projection: &str,
) -> Result<(), ProjectionError> {
    sqlx::query("delete from work.parked where kind = 'projection' and name = $1")
        .bind(projection)
        .execute(tx)
        .await?;
    Ok(())
}
