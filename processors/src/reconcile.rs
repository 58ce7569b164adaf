//! The periodic full look: finds assets whose next step never happened, and does it.
//!
//! It needs no JetStream, so processing goes on, if slowly, while NATS is away.

use std::time::Duration;

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_projections::jobs::StageState;
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::error::ProcessorError;
use crate::parked;
use crate::priority::Urgency;
use crate::worker::Worker;

/// How often the full look is taken.
const EVERY: Duration = Duration::from_secs(10);
/// Assets taken up in one look.
const LOOK_ASSETS_MAX: i64 = 500;
/// How long an asset may wait for its bell before reconciling takes it up.
const BELL_LATE_AFTER: TimeDelta = TimeDelta::seconds(20);
/// How often an asset is tried when the fault may not be its own, before that is recorded as a failure.
const TRIES_MAX: u32 = 5;

impl Worker {
    /// Looks every ten seconds until cancelled, and once at the start for what a crash left.
    pub async fn reconcile(self, cancel: CancellationToken) {
        let mut late = TimeDelta::zero();
        while !cancel.is_cancelled() {
            tokio::select! {
                () = cancel.cancelled() => return,
                looked = self.look(late) => match looked {
                    Ok(0) => {}
                    Ok(count) => debug!(count, "took up assets whose bell was lost"),
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "cannot reconcile now"),
                }
            }
            late = BELL_LATE_AFTER;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Takes up everything that waits, however short.
    ///
    /// # Errors
    /// When the read model cannot be asked.
    pub async fn reconcile_now(&self) -> Result<usize, ProcessorError> {
        self.look(TimeDelta::zero()).await
    }

    /// Whether people paused the queues of both steps; one decode serves both.
    pub(crate) async fn is_paused(&self) -> Result<bool, ProcessorError> {
        let paused = self.queries.paused_queues().await?;
        Ok(paused.iter().any(|name| name == "metadataExtraction" || name == "thumbnailGeneration"))
    }

    /// Develops the assets that have been waiting longer than `late`; says how many there were.
    async fn look(&self, late: TimeDelta) -> Result<usize, ProcessorError> {
        if self.is_paused().await? {
            return Ok(0);
        }
        let before = self.commands.clock().now() - late;
        let mut waiting = Vec::new();
        for stage in Stage::ALL {
            waiting.extend(
                self.queries
                    .assets_in_state(stage.as_str(), StageState::Waiting, before, LOOK_ASSETS_MAX)
                    .await?,
            );
        }
        parked::forget_cleared(&self.pool).await?;
        waiting.sort_unstable();
        waiting.dedup();
        for asset_id in &waiting {
            let asset_id = AssetId::new(*asset_id);
            let last_try = self.tries.count(asset_id) + 1 >= TRIES_MAX;
            match self.develop(asset_id, Urgency::Rerun, last_try).await {
                Ok(_) => self.tries.forget(asset_id),
                Err(ProcessorError::NotYet { .. }) => {}
                Err(error) => {
                    self.tries.add(asset_id);
                    warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "reconciling one asset failed");
                }
            }
        }
        Ok(waiting.len())
    }
}
