//! Questions about processing.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// Where an asset stands with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageState {
    /// Not done yet.
    Waiting,
    /// A processor gave up.
    Failed,
}

impl StageState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }
}

/// How many assets wait for a step or failed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Not done yet, those being worked on included.
    pub waiting: i64,
    /// Given up.
    pub failed: i64,
}

/// An asset that waits for a step or failed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    /// The asset.
    pub asset_id: Uuid,
    /// Since when.
    pub waiting_since: DateTime<Utc>,
}

impl Queries {
    /// Counts by step (`metadata`, `thumbnails`).
    ///
    /// # Errors
    /// What the database said.
    pub async fn queue_counts(&self) -> Result<HashMap<String, QueueCounts>, ProjectionError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("select stage, state, count from read.jobs_counts_v1")
                .fetch_all(&self.pool)
                .await?;
        let mut counts: HashMap<String, QueueCounts> = HashMap::new();
        for (stage, state, count) in rows {
            let of_stage = counts.entry(stage).or_default();
            match state.as_str() {
                "waiting" => of_stage.waiting = count,
                "failed" => of_stage.failed = count,
                _ => {}
            }
        }
        Ok(counts)
    }

    /// The names of the paused queues.
    ///
    /// # Errors
    /// What the database said.
    pub async fn paused_queues(&self) -> Result<Vec<String>, ProjectionError> {
        Ok(sqlx::query_scalar("select name from read.queues_v1 where is_paused")
            .fetch_all(&self.pool)
            .await?)
    }

    /// Assets in a state of a step, longest waiting first, after the given one; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_in_state(
        &self,
        stage: &str,
        state: StageState,
        waiting_before: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        let sql = match stage {
            "metadata" => {
                "select asset_id from read.jobs_v1
                  where metadata = $1 and waiting_since <= $2
                  order by waiting_since limit $3"
            }
            _ => {
                "select asset_id from read.jobs_v1
                  where thumbnails = $1 and waiting_since <= $2
                  order by waiting_since limit $3"
            }
        };
        Ok(sqlx::query_scalar(sql)
            .bind(state.as_str())
            .bind(waiting_before)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Every asset's id after the given one, in the order of ids; for a forced re-run.
    ///
    /// # Errors
    /// What the database said.
    pub async fn asset_ids_after(
        &self,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.jobs_v1 where asset_id > $1 order by asset_id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Assets in a state of a step with the time since when, longest waiting first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn jobs(
        &self,
        stage: &str,
        state: StageState,
        limit: i64,
    ) -> Result<Vec<Job>, ProjectionError> {
        let sql = match stage {
            "metadata" => {
                "select asset_id, waiting_since from read.jobs_v1
                  where metadata = $1
                  order by waiting_since limit $2"
            }
            _ => {
                "select asset_id, waiting_since from read.jobs_v1
                  where thumbnails = $1
                  order by waiting_since limit $2"
            }
        };
        Ok(sqlx::query_as(sql).bind(state.as_str()).bind(limit).fetch_all(&self.pool).await?)
    }
}
