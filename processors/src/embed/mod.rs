//! Lets a model look at previews, so that assets are found by what they show.

pub(crate) mod look;

use std::sync::Arc;

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_domain::model::ModelRef;
use calotype_media::image::Pixels;
use calotype_projections::config::Settings;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::error::ProcessorError;
use crate::in_flight::InFlight;
pub use crate::looking::ModelError;
use crate::looking::{Became, Look};
use crate::worker::Worker;

/// Its name in logs and in the table of parked work.
pub const NAME: &str = "embed";

/// A model that says what pictures show.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Which model has this name, as far as is known without asking other machines.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`].
    async fn model(&self, name: &str) -> Result<ModelRef, ModelError>;

    /// The side of what the model looks at, in pixels, to which the shorter side of a picture is scaled; nothing
    /// where that is not known or is another machine's matter.
    async fn side_px(&self, name: &str) -> Option<u32>;

    /// The vector of a picture, and the model that said it.
    ///
    /// # Errors
    /// [`ModelError`].
    async fn embed(&self, name: &str, picture: Pixels) -> Result<(ModelRef, Vec<f32>), ModelError>;
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

/// The model's name, where administrators want assets looked at.
fn wanted_model(settings: &Settings) -> Option<&str> {
    let is_on =
        settings.is_on("machineLearning.enabled") && settings.is_on("machineLearning.clip.enabled");
    is_on.then(|| settings.text("machineLearning.clip.modelName"))
}

/// The step of looking at what assets show.
struct Embeds;

impl Look for Embeds {
    const STAGE: Stage = Stage::Embedding;
    const QUEUE: &'static str = "smartSearch";
    const CONCURRENCY: &'static str = "job.smartSearch.concurrency";
    /// The model's name.
    type Wish = String;

    fn bell(worker: &Worker) -> &Arc<Notify> {
        &worker.embedding.bell
    }

    fn in_flight(worker: &Worker) -> &InFlight {
        &worker.embedding.in_flight
    }

    fn wish(settings: &Settings) -> Option<String> {
        wanted_model(settings).map(str::to_owned)
    }

    async fn is_there(worker: &Worker, name: &String) -> bool {
        let Some(embedder) = &worker.embedding.embedder else { return false };
        is_there(name, &embedder.model(name).await)
    }

    async fn look(
        worker: &Worker,
        asset_id: AssetId,
        name: &String,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        worker.look_with_model(asset_id, name, last_try).await
    }
}

/// Whether a model can be asked; where not, the log tells.
pub(crate) fn is_there(name: &str, model: &Result<ModelRef, ModelError>) -> bool {
    if let Err(error) = model {
        let error = error as &dyn std::error::Error;
        info!(error, model = name, "assets wait for a model that is not there");
    }
    model.is_ok()
}

impl Worker {
    /// The model that is to look at new pictures; nothing where there is none, or none is wanted.
    pub(crate) async fn model_for_new(&self, settings: &Settings) -> Option<ModelRef> {
        let embedder = self.embedding.embedder.as_ref()?;
        embedder.model(wanted_model(settings)?).await.ok()
    }

    /// Lets the model look until cancelled.
    pub async fn embed_assets(self, cancel: CancellationToken) {
        if self.embedding.embedder.is_some() {
            self.keep_looking::<Embeds>(cancel).await;
        }
    }
}
