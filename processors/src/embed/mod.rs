//! Lets a model look at previews, so that assets are found by what they show.
//!
//! Which assets wait stands in the read model. A bell only says that it may be time to look; without bells the
//! look is taken every few seconds. So an asset survives crashes, a lost stream and a pause of its queue, and
//! never stands in the way of pictures.

mod look;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_domain::model::ModelRef;
use calotype_media::image::Pixels;
use calotype_projections::config::Settings;
use calotype_projections::jobs::StageState;
use futures::StreamExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::error::ProcessorError;
use crate::in_flight::InFlight;
use crate::worker::Worker;

/// Its name in logs and in the table of parked work.
pub const NAME: &str = "embed";
/// The queue that people may pause.
const QUEUE: &str = "smartSearch";
/// How often a look is taken without a bell.
const EVERY: Duration = Duration::from_secs(10);
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
pub enum EmbedError {
    /// It is not there now: not installed, not loaded, or out of reach. That is no fault of the picture.
    #[error("the model is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It failed, and nobody knows whose fault that is: the picture's, its own, or a lack of memory.
    #[error("the model failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It cannot say anything about the picture.
    #[error("the model cannot look at the picture")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A model that says what pictures show.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Which model has this name.
    ///
    /// # Errors
    /// [`EmbedError::Unavailable`].
    async fn model(&self, name: &str) -> Result<ModelRef, EmbedError>;

    /// The vector of a picture, and the model that said it.
    ///
    /// # Errors
    /// [`EmbedError`].
    async fn embed(&self, name: &str, picture: Pixels) -> Result<(ModelRef, Vec<f32>), EmbedError>;
}

/// What is being looked at. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub struct Embedding {
    /// The model, where there is one.
    embedder: Option<Arc<dyn Embedder>>,
    /// How many assets.
    pub in_flight: InFlight,
    /// Rung when it may be time to look.
    pub(crate) bell: Arc<Notify>,
}

impl Embedding {
    /// With a model.
    #[must_use]
    pub fn of(embedder: Arc<dyn Embedder>) -> Self {
        Self { embedder: Some(embedder), ..Self::default() }
    }
}

/// What became of an asset for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// It was recorded what.
    Recorded,
    /// Nothing was wanted (any more).
    NothingWanted,
    /// It is tried again later.
    Later,
    /// The model is out of reach, for all others too.
    Away,
}

/// Assets that were tried in vain: how often, and when they are due again.
type Later = HashMap<AssetId, (u32, Instant)>;

/// The model's name, where administrators want assets looked at.
fn wanted_model(settings: &Settings) -> Option<&str> {
    let is_on =
        settings.is_on("machineLearning.enabled") && settings.is_on("machineLearning.clip.enabled");
    is_on.then(|| settings.text("machineLearning.clip.modelName"))
}

impl Worker {
    /// The model that is to look at new pictures; nothing where there is none, or none is wanted.
    pub(crate) async fn model_for_new(&self, settings: &Settings) -> Option<ModelRef> {
        let embedder = self.embedding.embedder.as_ref()?;
        embedder.model(wanted_model(settings)?).await.ok()
    }

    /// Lets the model look until cancelled.
    pub async fn embed_assets(self, cancel: CancellationToken) {
        if self.embedding.embedder.is_none() {
            return;
        }
        let mut later = Later::new();
        while !cancel.is_cancelled() {
            let Some(inside) = self.gate.enter_unless(&cancel).await else { return };
            let looked = tokio::select! {
                () = cancel.cancelled() => return,
                looked = self.embed_waiting(&mut later) => looked,
            };
            drop(inside);
            let taken = looked.unwrap_or_else(|error| {
                warn!(error = &error as &dyn std::error::Error, "cannot look at assets now");
                0
            });
            if taken == 0 {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = self.embedding.bell.notified() => {}
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
            tokio::time::sleep(BEHIND).await;
        }
    }

    /// Takes up the assets that wait longest; says how many of them something became of.
    async fn embed_waiting(&self, later: &mut Later) -> Result<usize, ProcessorError> {
        let settings = self.queries.settings().await?;
        let Some(name) = wanted_model(&settings) else { return Ok(0) };
        if self.queries.paused_queues().await?.iter().any(|paused| paused == QUEUE) {
            return Ok(0);
        }
        let wish = usize::try_from(settings.number("job.smartSearch.concurrency"));
        let places = wish.unwrap_or(1).clamp(1, PLACES_MAX);
        let now = Instant::now();
        let looked = i64::try_from(LOOK_ASSETS + later.len()).unwrap_or(i64::MAX);
        let (stage, before) = (Stage::Embedding.as_str(), self.commands.clock().now());
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
            .take(LOOK_ASSETS)
            .collect();
        if due.is_empty() || !self.is_model_there(name).await {
            return Ok(0);
        }
        let became: Vec<(AssetId, u32, Became)> = futures::stream::iter(due)
            .map(|(asset_id, tries)| async move {
                let became = self.embed_one(asset_id, name, tries + 1 >= TRIES_MAX).await;
                (asset_id, tries, became)
            })
            .buffer_unordered(places)
            // Each further asset would be decoded in vain.
            .take_while(|(.., became)| std::future::ready(*became != Became::Away))
            .collect()
            .await;
        Ok(settle(later, &became))
    }

    /// Whether the model is there; while it is not, assets wait without being tried.
    async fn is_model_there(&self, name: &str) -> bool {
        let Some(embedder) = &self.embedding.embedder else { return false };
        match embedder.model(name).await {
            Ok(_) => true,
            Err(error) => {
                info!(
                    error = &error as &dyn std::error::Error,
                    model = name,
                    "assets wait for a model that is not there"
                );
                false
            }
        }
    }

    async fn embed_one(&self, asset_id: AssetId, name: &str, last_try: bool) -> Became {
        if self.gate.is_closed() {
            return Became::Later;
        }
        let _working = self.embedding.in_flight.begin();
        self.look_with_model(asset_id, name, last_try).await.unwrap_or_else(|error| {
            warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot look at an asset now");
            let is_away = matches!(error, ProcessorError::Model(EmbedError::Unavailable(_)));
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
            later.insert(*asset_id, (tries + 1, Instant::now() + wait));
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
