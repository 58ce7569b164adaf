//! Events of assets and queues to `jobs_v1`, `jobs_counts_v1` and `queues_v1`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, Stage};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::queue::QueueEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `jobs_v1`, `jobs_counts_v1` and `queues_v1`.
pub struct JobsProjection;

#[async_trait]
impl Projection for JobsProjection {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["jobs_v1", "jobs_counts_v1", "queues_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "queue"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let (queues, assets): (Vec<&Event>, Vec<&Event>) =
            events.iter().partition(|event| matches!(event.what, AnyEvent::Queue(_)));
        for event in queues {
            apply_queue_in_tx(tx, event).await?;
        }
        let mut deltas: BTreeMap<(Stage, String), i64> = BTreeMap::new();
        for change in fold_in_tx::<Jobs>(tx, &assets).await? {
            for (row, delta) in [(&change.before, -1), (&change.after, 1)] {
                if let Some(row) = row {
                    *deltas.entry((Stage::Metadata, row.metadata.clone())).or_default() += delta;
                    *deltas.entry((Stage::Thumbnails, row.thumbnails.clone())).or_default() +=
                        delta;
                }
            }
        }
        deltas.retain(|_, delta| *delta != 0);
        count_in_tx(tx, &deltas).await
    }
}

/// Where an asset stands: `waiting`, `done` or `failed` for each step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct JobRow {
    asset_id: Uuid,
    revision: i64,
    metadata: String,
    thumbnails: String,
    waiting_since: chrono::DateTime<chrono::Utc>,
}

impl JobRow {
    fn state_of(&mut self, stage: Stage) -> &mut String {
        match stage {
            Stage::Metadata => &mut self.metadata,
            Stage::Thumbnails => &mut self.thumbnails,
        }
    }
}

const WAITING: &str = "waiting";
const DONE: &str = "done";
const FAILED: &str = "failed";

async fn apply_queue_in_tx(tx: &mut PgConnection, event: &Event) -> Result<(), ProjectionError> {
    let AnyEvent::Queue(what) = &event.what else { return Ok(()) };
    let name = event.stream_id.strip_prefix("queue-").unwrap_or_default();
    let paused = match what {
        QueueEvent::Paused(_) => true,
        QueueEvent::Resumed(_) => false,
        QueueEvent::RerunRequested(_) => return Ok(()),
    };
    sqlx::query(
        "insert into queues_v1 as queues (name, revision, is_paused) values ($1, $2, $3)
         on conflict (name) do update set is_paused = excluded.is_paused, revision = excluded.revision
          where queues.revision < excluded.revision",
    )
    .bind(name)
    .bind(event.revision)
    .bind(paused)
    .execute(tx)
    .await?;
    Ok(())
}

async fn count_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<(Stage, String), i64>,
) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let stages: Vec<&str> = deltas.keys().map(|(stage, _)| stage.as_str()).collect();
    let states: Vec<&str> = deltas.keys().map(|(_, state)| state.as_str()).collect();
    let counts: Vec<i64> = deltas.values().copied().collect();
    sqlx::query(
        "insert into jobs_counts_v1 as counts (stage, state, count)
         select * from unnest($1::text[], $2::text[], $3::bigint[])
         on conflict (stage, state) do update set count = counts.count + excluded.count",
    )
    .bind(&stages)
    .bind(&states)
    .bind(&counts)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from jobs_counts_v1 where count = 0").execute(tx).await?;
    Ok(())
}

struct Jobs;

impl Fold for Jobs {
    fold_sql!("jobs_v1", "asset_id");
    type Row = JobRow;

    fn key(row: &JobRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &JobRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<JobRow>, event: &Event) -> Option<JobRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(_)) => {
                return Some(JobRow {
                    asset_id: event.key,
                    revision: event.revision,
                    metadata: WAITING.to_owned(),
                    thumbnails: WAITING.to_owned(),
                    waiting_since: event.recorded_at,
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::MetadataRecorded(_) => DONE.clone_into(row.state_of(Stage::Metadata)),
            AssetEvent::ThumbnailsRecorded(_) => DONE.clone_into(row.state_of(Stage::Thumbnails)),
            AssetEvent::ProcessingFailed(failed) => FAILED.clone_into(row.state_of(failed.stage)),
            AssetEvent::ProcessingRequested(requested) => {
                WAITING.clone_into(row.state_of(requested.stage));
                row.waiting_since = event.recorded_at;
            }
            AssetEvent::Purged(_) => return None,
            AssetEvent::Uploaded(_)
            | AssetEvent::Favorited(_)
            | AssetEvent::Unfavorited(_)
            | AssetEvent::VisibilityChanged(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::DateChanged(_)
            | AssetEvent::LocationChanged(_)
            | AssetEvent::Trashed(_)
            | AssetEvent::Restored(_) => return Some(row),
        }
        row.revision = event.revision;
        Some(row)
    }
}
