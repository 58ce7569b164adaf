//! Questions about processing.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::row::State;
use crate::error::ProjectionError;
use crate::query::Queries;

/// How many assets wait for a step or failed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Not done yet, those being worked on included.
    pub waiting: i64,
    /// Given up.
    pub failed: i64,
    /// Taken off the queue by somebody.
    pub missing: i64,
}

/// An asset that waits for a step or failed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    /// The asset.
    pub asset_id: Uuid,
    /// Since when.
    pub waiting_since: DateTime<Utc>,
}

/// The steps that an asset goes without.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct StepsLeft {
    /// The revision of the asset that this is known of.
    pub revision: i64,
    /// Taken off the queue by somebody.
    pub missing: Vec<String>,
    /// Given up by a processor.
    pub failed: Vec<String>,
}

/// Assets in a state of a step, longest waiting first. One statement for each state, for its own index.
const fn jobs_sql(state: State) -> &'static str {
    match state {
        State::Waiting => {
            "select asset_id, waiting_since from read.jobs_v2
              where waiting @> array[$1] and waiting <> '{}' and waiting_since <= $2
              order by waiting_since, asset_id limit $3"
        }
        State::Failed => {
            "select asset_id, waiting_since from read.jobs_v2
              where failed @> array[$1] and failed <> '{}' and waiting_since <= $2
              order by waiting_since, asset_id limit $3"
        }
        State::Missing => {
            "select asset_id, waiting_since from read.jobs_v2
              where missing @> array[$1] and missing <> '{}' and waiting_since <= $2
              order by waiting_since, asset_id limit $3"
        }
    }
}

/// Assets in a state of a step, in the order of ids.
const fn after_sql(state: State) -> &'static str {
    match state {
        State::Waiting => {
            "select asset_id from read.jobs_v2
              where waiting @> array[$1] and waiting <> '{}' and asset_id > $2
              order by asset_id limit $3"
        }
        State::Failed => {
            "select asset_id from read.jobs_v2
              where failed @> array[$1] and failed <> '{}' and asset_id > $2
              order by asset_id limit $3"
        }
        State::Missing => {
            "select asset_id from read.jobs_v2
              where missing @> array[$1] and missing <> '{}' and asset_id > $2
              order by asset_id limit $3"
        }
    }
}

/// Rows of step, state and count, by step.
pub(super) fn by_step(rows: Vec<(String, String, i64)>) -> HashMap<String, QueueCounts> {
    let mut counts: HashMap<String, QueueCounts> = HashMap::new();
    for (stage, state, count) in rows {
        let of_stage = counts.entry(stage).or_default();
        match state.as_str() {
            "waiting" => of_stage.waiting = count,
            "failed" => of_stage.failed = count,
            _ => of_stage.missing = count,
        }
    }
    counts
}

impl Queries {
    /// Counts by step (`metadata`, `thumbnails`).
    ///
    /// # Errors
    /// What the database said.
    pub async fn queue_counts(&self) -> Result<HashMap<String, QueueCounts>, ProjectionError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("select stage, state, count from read.jobs_counts_v2")
                .fetch_all(&self.pool)
                .await?;
        Ok(by_step(rows))
    }

    /// The names of the paused queues.
    ///
    /// # Errors
    /// What the database said.
    pub async fn paused_queues(&self) -> Result<Vec<String>, ProjectionError> {
        Ok(sqlx::query_scalar("select name from read.queues_v2 where is_paused")
            .fetch_all(&self.pool)
            .await?)
    }

    /// Assets in a state of a step, longest waiting first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_in_state(
        &self,
        stage: &str,
        state: State,
        waiting_before: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        let jobs = self.jobs(stage, state, waiting_before, limit).await?;
        Ok(jobs.into_iter().map(|job| job.asset_id).collect())
    }

    /// Assets in a state of a step with the time since when, longest waiting first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn jobs(
        &self,
        stage: &str,
        state: State,
        waiting_before: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Job>, ProjectionError> {
        Ok(sqlx::query_as(jobs_sql(state))
            .bind(stage)
            .bind(waiting_before)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Assets in a state of a step after the given one, in the order of ids; for a re-run.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_in_state_after(
        &self,
        stage: &str,
        state: State,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(after_sql(state))
            .bind(stage)
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// The steps that an asset goes without; none for an asset that the read model does not know yet.
    ///
    /// # Errors
    /// What the database said.
    pub async fn steps_left(&self, asset_id: Uuid) -> Result<StepsLeft, ProjectionError> {
        Ok(sqlx::query_as("select revision, missing, failed from read.jobs_v2 where asset_id = $1")
            .bind(asset_id)
            .fetch_optional(&self.pool)
            .await?
            .unwrap_or_default())
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
            "select asset_id from read.jobs_v2 where asset_id > $1 order by asset_id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
