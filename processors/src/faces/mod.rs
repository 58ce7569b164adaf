//! Lets a model look for faces in previews. Whose they are is the matter of [`crate::recognise`].

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

use crate::embed::is_there;
use crate::error::ProcessorError;
use crate::in_flight::InFlight;
use crate::looking::{Became, Look, ModelError};
use crate::worker::Worker;

/// Its name in logs and in the table of parked work.
pub const NAME: &str = "faces";

/// A face as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenFace {
    /// Left, upper, right and lower edge, in pixels of the picture.
    pub sides: [f32; 4],
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// Whose it is, as a place in the model's space: two faces of one person lie near to each other.
    pub vector: Vec<f32>,
}

/// A model that finds faces and tells them apart.
#[async_trait]
pub trait FaceFinder: Send + Sync {
    /// Which model has this name, as far as is known without asking other machines.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`].
    async fn model(&self, name: &str) -> Result<ModelRef, ModelError>;

    /// The same, where only other machines know it after asking one; nothing where there is no such model.
    ///
    /// # Errors
    /// [`ModelError`]: a machine that would know it does not answer now.
    async fn model_asked(&self, name: &str) -> Result<Option<ModelRef>, ModelError>;

    /// The faces on a picture whose score is at least `score_min` (0 to 1), and the model that found them.
    ///
    /// # Errors
    /// [`ModelError`].
    async fn find(
        &self,
        name: &str,
        picture: Pixels,
        score_min: f32,
    ) -> Result<(ModelRef, Vec<SeenFace>), ModelError>;
}

/// What becomes of the groups when a queue is asked to compare whole libraries anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Regrouping {
    /// They are recorded at once.
    #[default]
    AtOnce,
    /// They are kept for somebody to agree to.
    Proposed,
}

/// What is searched for faces, and compared. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub struct Finding {
    /// The model, where there is one.
    finder: Option<Arc<dyn FaceFinder>>,
    /// How many assets are searched.
    pub in_flight: InFlight,
    /// How many photos are compared with others.
    pub comparing: InFlight,
    /// Rung when it may be time to look.
    pub(crate) bell: Arc<Notify>,
    /// What becomes of groups.
    pub(crate) regrouping: Regrouping,
}

impl Finding {
    /// With a model.
    #[must_use]
    pub fn of(finder: Arc<dyn FaceFinder>) -> Self {
        Self { finder: Some(finder), ..Self::default() }
    }

    /// The same, with what becomes of groups.
    #[must_use]
    pub fn regrouping(self, regrouping: Regrouping) -> Self {
        Self { regrouping, ..self }
    }
}

/// Which model is to look for faces, and how sure it must be of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wish {
    name: String,
    /// 0 to 1.
    score_min: f64,
}

impl Wish {
    /// What administrators want; nothing where they want no faces found.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let is_on = settings.is_on("machineLearning.enabled")
            && settings.is_on("machineLearning.facialRecognition.enabled");
        is_on.then(|| Self {
            name: settings.text("machineLearning.facialRecognition.modelName").to_owned(),
            score_min: settings.real("machineLearning.facialRecognition.minScore"),
        })
    }
}

impl Wish {
    /// The same of another model.
    pub(crate) fn with_model(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }
}

/// The step of looking for faces.
struct Finds;

impl Look for Finds {
    const STAGE: Stage = Stage::Faces;
    const QUEUE: &'static str = "faceDetection";
    const CONCURRENCY: &'static str = "job.faceDetection.concurrency";
    type Wish = Wish;

    fn bell(worker: &Worker) -> &Arc<Notify> {
        &worker.finding.bell
    }

    fn in_flight(worker: &Worker) -> &InFlight {
        &worker.finding.in_flight
    }

    fn wish(settings: &Settings) -> Option<Wish> {
        Wish::of(settings)
    }

    async fn is_there(worker: &Worker, wish: &Wish) -> bool {
        let Some(finder) = &worker.finding.finder else { return false };
        is_there(&wish.name, &finder.model(&wish.name).await)
    }

    async fn look(
        worker: &Worker,
        asset_id: AssetId,
        wish: &Wish,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        worker.look_for_faces(asset_id, wish, last_try).await
    }
}

impl Worker {
    /// The model that is to look for faces; nothing where there is none, or none is wanted.
    pub(crate) async fn model_for_faces(&self, settings: &Settings) -> Option<ModelRef> {
        let finder = self.finding.finder.as_ref()?;
        finder.model(&Wish::of(settings)?.name).await.ok()
    }

    /// The same, where another machine has to be asked for it: after a start nobody knows which model that has.
    /// While none answers, it is not known.
    ///
    /// # Errors
    /// [`ProcessorError::Model`]: no machine that would know answers now.
    pub(crate) async fn model_asked_for_faces(
        &self,
        settings: &Settings,
    ) -> Result<Option<ModelRef>, ProcessorError> {
        let (Some(finder), Some(wish)) = (self.finding.finder.as_ref(), Wish::of(settings)) else {
            return Ok(None);
        };
        finder.model_asked(&wish.name).await.map_err(ProcessorError::Model)
    }

    /// Lets the model look for faces until cancelled.
    pub async fn find_faces(self, cancel: CancellationToken) {
        if self.finding.finder.is_some() {
            self.keep_looking::<Finds>(cancel).await;
        }
    }
}
