//! Questions about what people asked of queues.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// Requests told at once; people ask by hand.
const TOLD_MAX: i64 = 1_000;

/// A job or a re-run that was asked for and is not done.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueRequest {
    /// The event that asked for it.
    pub request_id: Uuid,
    /// The queue.
    pub queue: String,
    /// The event's place in the queue's stream.
    pub revision: i64,
    /// Which job (`tag_cleanup`), which assets a re-run covers (`all`, `missing`), or that something is to be
    /// proposed (`propose`), or a proposal to be done (`accept`).
    pub what: String,
    /// When.
    pub asked_at: DateTime<Utc>,
}

impl Queries {
    /// What was asked of queues and is not done, longest waiting first; at most a thousand.
    ///
    /// # Errors
    /// What the database said.
    pub async fn queue_requests(&self) -> Result<Vec<QueueRequest>, ProjectionError> {
        Ok(sqlx::query_as(
            "select request_id, queue, revision, what, asked_at
               from read.queue_requests_v2
              where not is_done
              order by asked_at, queue, revision
              limit $1",
        )
        .bind(TOLD_MAX)
        .fetch_all(&self.pool)
        .await?)
    }
}
