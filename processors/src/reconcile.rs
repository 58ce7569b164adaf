//! The periodic full look: finds assets whose next step never happened, and does it.
//!
//! It needs no JetStream, so processing goes on, if slowly, while NATS is away.

use std::collections::HashSet;
use std::time::Duration;

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_domain::queue::stage_of;
use calotype_projections::because;
use calotype_projections::jobs::StageState;
use chrono::TimeDelta;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::priority::Urgency;
use crate::worker::Worker;
use crate::{develop, parked};

/// How often the full look is taken.
const EVERY: Duration = Duration::from_secs(10);
/// Assets taken up in one look.
pub(crate) const LOOK_ASSETS_MAX: i64 = 500;
/// Of these, looked up together.
const LOOKED_UP_ASSETS: usize = 100;
/// How long an asset may wait for its bell before reconciling takes it up.
const BELL_LATE_AFTER: TimeDelta = TimeDelta::seconds(20);
/// How often an asset is tried when the fault may not be its own, before that is recorded as a failure.
pub(crate) const TRIES_MAX: u32 = 5;

/// The steps that are taken up here; films are encoded by a worker of their own.
const DEVELOPED: [Stage; 3] = [Stage::Metadata, Stage::Thumbnails, Stage::Edits];

impl Worker {
    /// Looks every ten seconds until cancelled, and once at the start for what a crash left.
    pub async fn reconcile(self, cancel: CancellationToken) {
        let mut late = TimeDelta::zero();
        let mut is_start = true;
        while !cancel.is_cancelled() {
            let Some(inside) = self.gate.enter_unless(&cancel).await else { return };
            if is_start {
                is_start = false;
                tokio::select! {
                    () = cancel.cancelled() => return,
                    forgotten = self.forget_settled() => if let Err(error) = forgotten {
                        warn!(error = &error as &dyn std::error::Error, "cannot look through what is parked");
                    }
                }
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                looked = self.look(late) => match looked {
                    Ok(0) => {}
                    Ok(count) => debug!(count, "took up assets whose bell was lost"),
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "cannot reconcile now"),
                }
            }
            drop(inside);
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

    /// The steps whose queues people paused: what waits for them stays waiting, and the others go on.
    pub(crate) async fn paused_stages(&self) -> Result<Vec<Stage>, ProcessorError> {
        let paused = self.queries.paused_queues().await?;
        Ok(paused.iter().filter_map(|name| stage_of(name)).collect())
    }

    /// Develops the assets that have been waiting longer than `late`; says how many there were.
    async fn look(&self, late: TimeDelta) -> Result<usize, ProcessorError> {
        let paused = self.paused_stages().await?;
        let before = self.commands.clock().now() - late;
        let mut waiting = Vec::new();
        for stage in DEVELOPED.into_iter().filter(|stage| !paused.contains(stage)) {
            waiting.extend(
                self.queries
                    .assets_in_state(stage.as_str(), StageState::Waiting, before, LOOK_ASSETS_MAX)
                    .await?,
            );
        }
        waiting.sort_unstable();
        waiting.dedup();
        for some in waiting.chunks(LOOKED_UP_ASSETS) {
            if self.gate.is_closed() {
                return Ok(0);
            }
            let rows = self.queries.assets(some).await?;
            let new: HashSet<Uuid> = rows
                .iter()
                .filter(|row| is_new(row.thumbnail_key.is_some(), row.failure.is_some()))
                .map(|row| row.asset_id)
                .collect();
            let urgency =
                |id: &Uuid| if new.contains(id) { Urgency::Upload } else { Urgency::Rerun };
            let work: Vec<(AssetId, Urgency)> =
                some.iter().map(|id| (AssetId::new(*id), urgency(id))).collect();
            // No more than there are places at the decoder: whoever waits for one keeps the asset from others.
            futures::stream::iter(work)
                .for_each_concurrent(self.places_max, |(asset_id, urgency)| {
                    Box::pin(self.take_up(asset_id, urgency))
                })
                .await;
            // While files are imported hardly anything is taken up; the next look finds what is left.
            if self.commands.importing().is_at_work() {
                break;
            }
        }
        self.look_for_live_photos().await?;
        self.look_for_sidecars(before).await?;
        Ok(waiting.len())
    }

    async fn take_up(&self, asset_id: AssetId, urgency: Urgency) {
        if self.gate.is_closed() || !self.commands.importing().passes() {
            return;
        }
        let last_try = self.tries.count(asset_id) + 1 >= TRIES_MAX;
        match self.develop(asset_id, urgency, last_try).await {
            Ok(_) => self.tries.forget(asset_id),
            Err(ProcessorError::NotYet { .. }) => {}
            Err(error) => {
                if error.is_refused() {
                    // The bucket's fault: it is not counted as tried.
                    self.park_refused(asset_id, &error).await;
                } else {
                    self.tries.add(asset_id);
                }
                warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "reconciling one asset failed");
            }
        }
    }
}

impl Worker {
    /// Shows operators what they have to mend. What goes well in the end is parked no more.
    async fn park_refused(&self, asset_id: AssetId, error: &ProcessorError) {
        let (no_event, reason) = (Uuid::nil(), because(error));
        let parked =
            parked::park(&self.pool, develop::NAME, asset_id, no_event, "refused", &reason).await;
        if let Err(error) = parked {
            warn!(error = &error as &dyn std::error::Error, "what failed could not be parked");
        }
    }
}

/// Whoever uploaded what was never developed waits for it, whether its bell was heard or not.
const fn is_new(has_picture: bool, failed: bool) -> bool {
    !has_picture && !failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_again_gives_way() {
        assert!(is_new(false, false));
        assert!(!is_new(true, false) && !is_new(false, true));
    }
}
