//! The end of a move: the former files go, and nothing is being moved any more.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::step::{Moving, Step, parsed};
use super::table::{self, PlaceRow};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// How long former files stay after the log says the new key: twice the lease of those who answer, who by
/// then have dropped what they remembered of the former key.
const FORMER_KEPT: TimeDelta = TimeDelta::seconds(10);
/// How long to wait where the rest of that cannot be told.
const SHORTLY: Duration = Duration::from_millis(500);

impl Worker {
    /// Removes the former files, once the read models say the new key and those who remember the former one
    /// had time to forget it.
    pub(super) async fn finish(
        &self,
        moving: &Moving,
        row: &PlaceRow,
        now: DateTime<Utc>,
    ) -> Result<Step, ProcessorError> {
        let asset_id = moving.asset_id.uuid();
        let Some(moved_at) = row.moved_at else {
            table::seen_moved(&self.pool, asset_id, now).await?;
            return Ok(Step::Next);
        };
        let shown = self.queries.placing(asset_id).await?;
        if shown.is_none_or(|shown| shown.original_key != row.key) {
            return Ok(Step::Busy);
        }
        let left = FORMER_KEPT - (now - moved_at);
        if left > TimeDelta::zero() {
            return Ok(Step::Later(left.to_std().unwrap_or(SHORTLY)));
        }
        let lies = self.blobs.stat(&parsed(&row.key)?).await?;
        if lies.is_none_or(|lies| lies.size_bytes != moving.uploaded.original.size_bytes) {
            // Whatever happened to it: the former one is all there is.
            return Err(ProcessorError::Damaged);
        }
        let mut tx = self.pool.begin().await?;
        if table::place_in_tx(&mut tx, asset_id).await?.as_ref() != Some(row) {
            return Ok(Step::Next);
        }
        let places = moving.asset.places();
        let sidecar = row.former_sidecar_key.as_deref();
        let sidecar = sidecar.filter(|former| places.sidecar() != Some(*former));
        let sidecar = match row.sidecar_key.as_deref() {
            // A sidecar that is not where it was put is only at its former place.
            Some(key) if self.blobs.stat(&parsed(key)?).await?.is_none() => None,
            _ => sidecar,
        };
        for former in row.former_key.as_deref().into_iter().chain(sidecar) {
            self.blobs.remove_with_folders(&parsed(former)?).await?;
        }
        table::settle_in_tx(&mut tx, asset_id, &row.key, places.sidecar()).await?;
        tx.commit().await?;
        Ok(Step::Next)
    }

    /// Puts down that nothing is being moved: the files lie where the log says.
    pub(super) async fn settle(&self, moving: &Moving) -> Result<Step, ProcessorError> {
        let places = moving.asset.places();
        let mut tx = self.pool.begin().await?;
        let asset_id = moving.asset_id.uuid();
        table::settle_in_tx(&mut tx, asset_id, places.original(), places.sidecar()).await?;
        tx.commit().await?;
        Ok(Step::Next)
    }
}
