//! What all queues hold, at one instant: work that goes from one queue to the next is in one of them in between.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::query::{QueueCounts, by_step};
use crate::error::ProjectionError;
use crate::query::Queries;

/// Pairs of live photos that are counted at most.
const PAIRS_COUNTED_MAX: i64 = 1_000;

/// What waits in queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueStanding {
    /// Assets by step (`metadata`, `thumbnails`).
    pub steps: HashMap<String, QueueCounts>,
    /// Jobs and re-runs that were asked for and are not done, by queue.
    pub asked: HashMap<String, i64>,
    /// Libraries that wait for their scan.
    pub libraries: i64,
    /// Stills and films that belong together and are not together, and films that are still inside stills.
    pub live_photos: i64,
    /// Sidecars that do not say what people say.
    pub sidecars: i64,
    /// People whose picture is to be made.
    pub people: i64,
    /// Assets whose vector is to be compared with those of their owner's others.
    pub comparisons: i64,
    /// Assets on which faces were found that are to be compared with others, those included of which no errand
    /// has been made yet.
    pub recognitions: i64,
}

/// What is counted beside the steps, in one statement and so at one instant: `what`, `which`, `number`. `$1` is
/// since when what cannot be done counts no more.
const STANDING: &str = "
    select 'step ' || state as what, stage as which, count as number from read.jobs_counts_v2
     union all
    select 'asked', queue, count(*) from read.queue_requests_v2 where not is_done group by queue
     union all
    select 'comparisons', '', count(*) from work.errands where kind = 'AssetEmbedded'
     union all
    select 'recognitions', '', count(*) from work.errands where kind = 'FacesDetected'
     union all
    select 'recognitions', '', count(*)
      from read.face_searches_v1
     where found_at > coalesce(
            (select position from work.checkpoints where name = 'errands'), 0)
     union all
    select 'libraries', '', count(*)
      from read.libraries_v1 as libraries
     where not is_deleted and asked > answered
        or is_deleted and exists (
            select from read.library_assets_v1 as files
             where files.library_id = libraries.library_id)
     union all
    select 'live', '', count(*)
      from read.live_photos_v1 as still
      join read.assets_v1 as asset using (asset_id)
     where still.has_film_inside and still.film_id is null and still.unlinked = '{}'
       and asset.updated_at > $1
     union all
    select 'live', '', count(*)
      from (select
              from read.live_photos_v1 as still
             where not still.is_video and still.film_id is null and still.content_id is not null
               and not still.is_trashed
               and exists (
                   select from read.live_photos_v1 as film
                    where film.owner_id = still.owner_id and film.content_id = still.content_id
                      and film.is_video and film.is_locked = still.is_locked
                      and not film.is_trashed and film.asset_id <> all(still.unlinked)
                      and not exists (
                          select from read.live_photos_v1 as other
                           where other.film_id = film.asset_id))
             limit $2) as pairs
     union all
    select 'sidecars', '', count(*)
      from read.sidecars_v1 as sidecar
     where (behind_since > $1
            or exists (select from read.queues_v2 where name = 'sidecar' and is_paused))
       and not exists (
            select from read.jobs_v2 as job
             where job.asset_id = sidecar.asset_id
               and (job.failed @> array['metadata'] or job.missing @> array['metadata']))
     union all
    select 'people', '', count(*)
      from read.people_due_v1
      join read.people_v1 as person using (person_id)
     where exists (
            select
              from read.faces_v1 as face
              join read.assets_v1 as asset using (asset_id)
             where face.person_id = person.person_id
               and face.face_id is distinct from person.failed_face_id
               and face.is_shown and face.x1 is not null and asset.preview_key is not null)";

impl Queries {
    /// What waits in queues. Sidecars and films inside stills that were to be done before `since` are not among
    /// it, nor sidecars of what cannot be read: whatever keeps them does not end by waiting.
    ///
    /// # Errors
    /// What the database said.
    pub async fn queue_standing(
        &self,
        since: DateTime<Utc>,
    ) -> Result<QueueStanding, ProjectionError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(STANDING)
            .bind(since)
            .bind(PAIRS_COUNTED_MAX)
            .fetch_all(&self.pool)
            .await?;
        let mut standing = QueueStanding::default();
        let mut steps = Vec::new();
        for (what, which, number) in rows {
            match what.as_str() {
                "asked" => {
                    standing.asked.insert(which, number);
                }
                "libraries" => standing.libraries += number,
                "live" => standing.live_photos += number,
                "sidecars" => standing.sidecars += number,
                "people" => standing.people += number,
                "comparisons" => standing.comparisons += number,
                "recognitions" => standing.recognitions += number,
                step => steps.push((which, step.trim_start_matches("step ").to_owned(), number)),
            }
        }
        standing.steps = by_step(steps);
        Ok(standing)
    }
}
