//! Lets models look at assets, step by step: one loop for every step that a model does.
//!
//! Which assets wait stands in the read model. A bell only says that it may be time to look; without bells the
//! look is taken every few seconds. So an asset survives crashes, a lost stream and a pause of its queue, and
//! never stands in the way of pictures.

mod picture;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_projections::config::Settings;
use calotype_projections::jobs::StageState;
use futures::StreamExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(crate) use self::picture::{Refusal, Wanted, refusal};
use crate::error::ProcessorError;
use crate::in_flight::InFlight;
use crate::worker::Worker;

/// How often a look is taken without a bell.
pub(crate) const EVERY: Duration = Duration::from_secs(10);
/// How far the read model may be behind the bell.
const BEHIND: Duration = Duration::from_millis(250);
/// Assets taken up in one look.
const LOOK_ASSETS: usize = 200;
/// Most assets in hand, whatever the settings say.
const PLACES_MAX: usize = 64;
/// How often an asset is tried when the fault may not be its own.
const TRIES_MAX: u32 = 5;
/// How long such an asset waits; doubles with each try.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// Assets whose tries are remembered; where there are more, all are forgotten.
const TRIES_REMEMBERED_MAX: usize = 10_000;

/// Why a model did not look at a picture.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not there now: not installed, not loaded, or out of reach. That is no fault of the picture.
    #[error("the model is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Machines were reached that were to ask it, and none answered rightly. Nobody knows whose fault that is; it
    /// is tried again, however often.
    #[error("no service answered rightly")]
    Unanswered(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It failed, and nobody knows whose fault that is: the picture's, its own, or a lack of memory.
    #[error("the model failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It cannot say anything about the picture.
    #[error("the model cannot look at the picture")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What became of an asset for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It was recorded what.
    Recorded,
    /// Nothing was wanted (any more).
    NothingWanted,
    /// It is tried again later.
    Later,
    /// The model is out of reach, for all others too.
    Away,
}

/// A step that a model does.
pub(crate) trait Look: Send + Sync {
    /// The step.
    const STAGE: Stage;
    /// The queue that people may pause.
    const QUEUE: &'static str;
    /// The setting that says how many assets are looked at together.
    const CONCURRENCY: &'static str;
    /// What administrators want of the model.
    type Wish: Send + Sync;

    /// Rung when it may be time to look.
    fn bell(worker: &Worker) -> &Arc<Notify>;

    /// How many assets are looked at.
    fn in_flight(worker: &Worker) -> &InFlight;

    /// What administrators want; nothing where they want no such step.
    fn wish(settings: &Settings) -> Option<Self::Wish>;

    /// Whether the model is there; while it is not, assets wait without being tried.
    fn is_there(worker: &Worker, wish: &Self::Wish) -> impl Future<Output = bool> + Send;

    /// Lets the model look at one asset. An error says that nothing was recorded, and to try again later.
    fn look(
        worker: &Worker,
        asset_id: AssetId,
        wish: &Self::Wish,
        last_try: bool,
    ) -> impl Future<Output = Result<Became, ProcessorError>> + Send;
}

/// Assets that were tried in vain: how often, and when they are due again.
type Later = HashMap<AssetId, (u32, Instant)>;

impl Worker {
    /// Lets the model of a step look until cancelled.
    pub(crate) async fn keep_looking<L: Look>(&self, cancel: CancellationToken) {
        let mut later = Later::new();
        while !cancel.is_cancelled() {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.commands.importing().lets_pass() => {}
            }
            let Some(inside) = self.gate.enter_unless(&cancel).await else { return };
            let looked = tokio::select! {
                () = cancel.cancelled() => return,
                looked = self.look_at_waiting::<L>(&mut later) => looked,
            };
            drop(inside);
            let taken = looked.unwrap_or_else(|error| {
                warn!(error = &error as &dyn std::error::Error, "cannot look at assets now");
                0
            });
            if taken == 0 {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = L::bell(self).notified() => {}
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
            tokio::time::sleep(BEHIND).await;
        }
    }

    /// Takes up the assets that wait longest; says how many of them something became of.
    async fn look_at_waiting<L: Look>(&self, later: &mut Later) -> Result<usize, ProcessorError> {
        let settings = self.queries.settings().await?;
        let Some(wish) = L::wish(&settings) else { return Ok(0) };
        if self.queries.paused_queues().await?.iter().any(|paused| paused == L::QUEUE) {
            return Ok(0);
        }
        let places = usize::try_from(settings.number(L::CONCURRENCY));
        let places = places.unwrap_or(1).clamp(1, PLACES_MAX);
        let now = Instant::now();
        // Models take their time, and an import that has begun meanwhile waits for none of it.
        let most = if self.commands.importing().is_at_work() { 1 } else { LOOK_ASSETS };
        let looked = i64::try_from(LOOK_ASSETS + later.len()).unwrap_or(i64::MAX);
        let (stage, before) = (L::STAGE.as_str(), self.commands.clock().now());
        let waiting =
            self.queries.assets_in_state(stage, StageState::Waiting, before, looked).await?;
        let due: Vec<(AssetId, u32)> = waiting
            .into_iter()
            .map(|asset_id| {
                let asset_id = AssetId::new(asset_id);
                (asset_id, later.get(&asset_id).copied())
            })
            .filter(|(_, tried)| tried.is_none_or(|(_, at)| at <= now))
            .map(|(asset_id, tried)| (asset_id, tried.map_or(0, |(tries, _)| tries)))
            .take(most)
            .collect();
        if due.is_empty() || !L::is_there(self, &wish).await {
            return Ok(0);
        }
        let wish = &wish;
        let became: Vec<(AssetId, u32, Became)> = futures::stream::iter(due)
            .map(|(asset_id, tries)| async move {
                let last_try = tries + 1 >= TRIES_MAX;
                (asset_id, tries, self.look_at_one::<L>(asset_id, wish, last_try).await)
            })
            .buffer_unordered(places)
            // Each further asset would be decoded in vain.
            .take_while(|(.., became)| std::future::ready(*became != Became::Away))
            .collect()
            .await;
        Ok(settle(later, &became))
    }

    async fn look_at_one<L: Look>(
        &self,
        asset_id: AssetId,
        wish: &L::Wish,
        last_try: bool,
    ) -> Became {
        if self.gate.is_closed() {
            return Became::Later;
        }
        let _working = L::in_flight(self).begin();
        let started = Instant::now();
        let looked = L::look(self, asset_id, wish, last_try).await;
        if matches!(looked, Ok(Became::Recorded)) {
            metrics::histogram!("calotype_look_seconds", "step" => L::STAGE.as_str())
                .record(started.elapsed().as_secs_f64());
        }
        looked.unwrap_or_else(|error| {
            warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot look at an asset now");
            let is_away = matches!(error, ProcessorError::Model(ModelError::Unavailable(_)));
            if is_away { Became::Away } else { Became::Later }
        })
    }
}

/// Remembers what is to be tried again; says of how many assets something became.
fn settle(later: &mut Later, became: &[(AssetId, u32, Became)]) -> usize {
    if later.len() >= TRIES_REMEMBERED_MAX {
        later.clear();
    }
    let mut settled = 0;
    for (asset_id, tries, became) in became {
        if *became == Became::Later {
            let wait = RETRY_AFTER * 2_u32.saturating_pow((*tries).min(TRIES_MAX));
            later.insert(*asset_id, (tries.saturating_add(1), Instant::now() + wait));
        } else {
            later.remove(asset_id);
            settled += usize::from(*became == Became::Recorded);
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_tried_in_vain_waits_longer_each_time() {
        let asset_id = AssetId::new(Uuid::from_u128(1));
        let mut later = Later::new();
        assert_eq!(settle(&mut later, &[(asset_id, 0, Became::Later)]), 0);
        let (tries, first) = later[&asset_id];
        assert_eq!(tries, 1);
        settle(&mut later, &[(asset_id, tries, Became::Later)]);
        assert!(later[&asset_id].1 > first + RETRY_AFTER / 2);
        assert_eq!(settle(&mut later, &[(asset_id, 2, Became::Recorded)]), 1);
        assert!(later.is_empty());
    }
}
