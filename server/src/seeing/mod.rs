//! The models of this server, and those of other machines that administrators name, behind the doors of the rooms
//! that ask them what pictures show, whose faces are on them, what is written in them and what words mean.

mod faces;
mod known;
mod services;
mod words;

use async_trait::async_trait;
use calotype_api::{EmbedTextError, TextEmbedder};
use calotype_domain::model::ModelRef;
use calotype_media::image::Pixels;
use calotype_ml::{Ml, MlError, ModelKind};
use calotype_processors::embed::{Embedder, ModelError};
use calotype_projections::Queries;

use self::services::Asked;

/// The models of this server.
pub struct Seeing {
    /// Those of this machine.
    here: Ml,
    has_runtime: bool,
    queries: Queries,
    /// With the services that were asked last.
    asked: Asked,
}

impl Seeing {
    /// Over models that are loaded when they are first asked, where there is what runs them.
    #[must_use]
    pub fn new(ml: &Ml, has_runtime: bool, queries: Queries) -> Self {
        Self { here: ml.with_stand_ins(), has_runtime, queries, asked: Asked::default() }
    }

    /// Whether a model of a name can be asked, here or on another machine.
    async fn has(&self, kind: ModelKind, name: &str) -> bool {
        let ml = self.ml().await;
        ml.has_services() || (self.has_runtime && ml.has(kind, ml.named(kind, name)))
    }

    /// Which model has a name, as far as is known without asking other machines.
    async fn model_of(&self, kind: ModelKind, name: &str) -> Result<ModelRef, ModelError> {
        let ml = self.ml().await;
        if ml.has_services() {
            return Ok(told(&ml.told(kind, name)));
        }
        if !self.has_runtime {
            return Err(ModelError::Unavailable("ONNX Runtime is not installed".into()));
        }
        // The first time all of its files are read: a second for each gigabyte.
        let name = ml.named(kind, name).to_owned();
        let reading = tokio::task::spawn_blocking(move || ml.model_ref(kind, &name));
        let model = reading.await.map_err(|error| ModelError::Unavailable(Box::new(error)))?;
        model.map(|model| told(&model)).map_err(|error| ModelError::Unavailable(Box::new(error)))
    }
}

fn told(model: &calotype_ml::ModelRef) -> ModelRef {
    ModelRef {
        name: model.name.clone(),
        revision: model.revision.clone(),
        sha256: model.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Whose fault an error is.
fn failed(error: MlError) -> ModelError {
    match error {
        MlError::BadPixels { .. } => ModelError::Refused(Box::new(error)),
        MlError::Failed { .. } => ModelError::Failed(Box::new(error)),
        MlError::NoService { is_reached: true, .. } => ModelError::Unanswered(Box::new(error)),
        _ => ModelError::Unavailable(Box::new(error)),
    }
}

fn pixels(picture: Pixels) -> Result<calotype_ml::Pixels, ModelError> {
    let Pixels { width, height, rgb } = picture;
    calotype_ml::Pixels::new(width, height, rgb).map_err(failed)
}

/// Whether it is the picture or the words that no model can take, and not the model that is missing.
const fn is_of_the_input(error: &MlError) -> bool {
    matches!(error, MlError::BadPixels { .. } | MlError::Failed { .. })
}

#[async_trait]
impl Embedder for Seeing {
    async fn model(&self, name: &str) -> Result<ModelRef, ModelError> {
        self.model_of(ModelKind::Clip, name).await
    }

    async fn side_px(&self, name: &str) -> Option<u32> {
        let ml = self.ml().await;
        if ml.has_services() {
            return None;
        }
        let name = ml.named(ModelKind::Clip, name).to_owned();
        // Reads a small file of the model.
        tokio::task::spawn_blocking(move || ml.picture_px(&name)).await.ok().flatten()
    }

    async fn embed(&self, name: &str, picture: Pixels) -> Result<(ModelRef, Vec<f32>), ModelError> {
        let said = self.ml().await.embed_image(name, pixels(picture)?).await.map_err(failed)?;
        Ok((told(&said.model), said.values))
    }
}

#[async_trait]
impl TextEmbedder for Seeing {
    async fn is_there(&self, model: &str) -> bool {
        self.has(ModelKind::Clip, model).await
    }

    async fn can_read(&self, model: &str) -> bool {
        self.has(ModelKind::Ocr, model).await
    }

    async fn embed(
        &self,
        model: &str,
        text: &str,
        language: Option<&str>,
    ) -> Result<(ModelRef, Vec<f32>), EmbedTextError> {
        let said = self.ml().await.embed_text(model, text, language).await;
        let said = said.map_err(|error| {
            if is_of_the_input(&error) {
                EmbedTextError::Failed(Box::new(error))
            } else {
                EmbedTextError::Unavailable(Box::new(error))
            }
        })?;
        Ok((told(&said.model), said.values))
    }
}
