//! Lets a model read what is written in previews, so that assets are found by it.

pub(crate) mod look;

use std::sync::Arc;

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::asset::{Stage, TextBox, TextLimits, TextReader};
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
pub const NAME: &str = "text";
/// The largest resolution that is asked for, in pixels: previews have no more to show.
const RESOLUTION_PX_MAX: i64 = 4_096;

/// A model that reads.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Which model has this name, as far as is known without asking other machines.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`].
    async fn model(&self, name: &str) -> Result<ModelRef, ModelError>;

    /// The lines in a picture from the top with where they stand, and the model that read them. None has lower
    /// scores than the limits say.
    ///
    /// # Errors
    /// [`ModelError`].
    async fn read(
        &self,
        name: &str,
        picture: Pixels,
        limits: TextLimits,
    ) -> Result<(ModelRef, Vec<(String, TextBox)>), ModelError>;
}

/// What is being read. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub struct Reading {
    /// The model, where there is one.
    reader: Option<Arc<dyn Reader>>,
    /// How many assets.
    pub in_flight: InFlight,
    /// Rung when it may be time to look.
    pub(crate) bell: Arc<Notify>,
}

impl Reading {
    /// With a model.
    #[must_use]
    pub fn of(reader: Arc<dyn Reader>) -> Self {
        Self { reader: Some(reader), ..Self::default() }
    }
}

/// Which model is to read, and how closely.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wish {
    name: String,
    limits: TextLimits,
}

impl Wish {
    /// What administrators want; nothing where they want no text.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let is_on = settings.is_on("machineLearning.enabled")
            && settings.is_on("machineLearning.ocr.enabled");
        let resolution_px =
            settings.number("machineLearning.ocr.maxResolution").clamp(1, RESOLUTION_PX_MAX);
        is_on.then(|| Self {
            name: settings.text("machineLearning.ocr.modelName").to_owned(),
            limits: TextLimits {
                resolution_px: u32::try_from(resolution_px).unwrap_or(1),
                box_score_min: settings.real("machineLearning.ocr.minDetectionScore"),
                text_score_min: settings.real("machineLearning.ocr.minRecognitionScore"),
            },
        })
    }
}

impl Wish {
    /// The same of another model.
    pub(crate) fn with_model(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }
}

/// The step of reading what is written in assets.
struct Reads;

impl Look for Reads {
    const STAGE: Stage = Stage::Text;
    const QUEUE: &'static str = "ocr";
    const CONCURRENCY: &'static str = "job.ocr.concurrency";
    type Wish = Wish;

    fn bell(worker: &Worker) -> &Arc<Notify> {
        &worker.reading.bell
    }

    fn in_flight(worker: &Worker) -> &InFlight {
        &worker.reading.in_flight
    }

    fn wish(settings: &Settings) -> Option<Wish> {
        Wish::of(settings)
    }

    async fn is_there(worker: &Worker, wish: &Wish) -> bool {
        let Some(reader) = &worker.reading.reader else { return false };
        is_there(&wish.name, &reader.model(&wish.name).await)
    }

    async fn look(
        worker: &Worker,
        asset_id: AssetId,
        wish: &Wish,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        worker.read_with_model(asset_id, wish, last_try).await
    }
}

impl Worker {
    /// Who is to read what is written in new pictures; nothing where there is no model, or none is wanted.
    pub(crate) async fn reader_for_new(&self, settings: &Settings) -> Option<TextReader> {
        let reader = self.reading.reader.as_ref()?;
        let wish = Wish::of(settings)?;
        let model = reader.model(&wish.name).await.ok()?;
        Some(TextReader { model, limits: wish.limits })
    }

    /// Lets the model read until cancelled.
    pub async fn read_texts(self, cancel: CancellationToken) {
        if self.reading.reader.is_some() {
            self.keep_looking::<Reads>(cancel).await;
        }
    }
}
