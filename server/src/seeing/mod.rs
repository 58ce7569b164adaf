//! The models of this server, behind the doors of the rooms that ask them what pictures show and what words
//! mean.

use async_trait::async_trait;
use calotype_api::{EmbedTextError, TextEmbedder};
use calotype_domain::model::ModelRef;
use calotype_media::image::Pixels;
use calotype_ml::{DEFAULT_CLIP, Ml, MlError, ModelKind};
use calotype_processors::embed::{EmbedError, Embedder};

/// What Immich calls its model for search, which nobody has who has not fetched it.
const IMMICHS_CLIP: &str = "ViT-B-32__openai";

/// The models of this server.
pub struct Seeing {
    ml: Ml,
    has_runtime: bool,
}

impl Seeing {
    /// Over models that are loaded when they are first asked, where there is what runs them.
    #[must_use]
    pub const fn new(ml: Ml, has_runtime: bool) -> Self {
        Self { ml, has_runtime }
    }

    /// The model that answers where one of this name is wanted: in the place of Immich's usual one, where that
    /// is not installed, the one that is brought along.
    fn named<'a>(&self, wanted: &'a str) -> &'a str {
        if wanted == IMMICHS_CLIP && !self.has(wanted) { DEFAULT_CLIP } else { wanted }
    }

    fn has(&self, name: &str) -> bool {
        let installed = self.ml.installed();
        self.has_runtime
            && installed.iter().any(|model| model.kind == ModelKind::Clip && model.name == name)
    }
}

fn told(model: &calotype_ml::ModelRef) -> ModelRef {
    ModelRef {
        name: model.name.clone(),
        revision: model.revision.clone(),
        sha256: model.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Whether it is the picture or the words that no model can take, and not the model that is missing.
const fn is_of_the_input(error: &MlError) -> bool {
    matches!(error, MlError::BadPixels { .. } | MlError::Failed { .. })
}

#[async_trait]
impl Embedder for Seeing {
    async fn model(&self, name: &str) -> Result<ModelRef, EmbedError> {
        if !self.has_runtime {
            return Err(EmbedError::Unavailable("ONNX Runtime is not installed".into()));
        }
        // The first time all of its files are read: a second for each gigabyte.
        let (ml, name) = (self.ml.clone(), self.named(name).to_owned());
        let reading = tokio::task::spawn_blocking(move || ml.model_ref(ModelKind::Clip, &name));
        let model = reading.await.map_err(|error| EmbedError::Unavailable(Box::new(error)))?;
        model.map(|model| told(&model)).map_err(|error| EmbedError::Unavailable(Box::new(error)))
    }

    async fn embed(&self, name: &str, picture: Pixels) -> Result<(ModelRef, Vec<f32>), EmbedError> {
        let failed = |error: MlError| match error {
            MlError::BadPixels { .. } => EmbedError::Refused(Box::new(error)),
            MlError::Failed { .. } => EmbedError::Failed(Box::new(error)),
            _ => EmbedError::Unavailable(Box::new(error)),
        };
        let Pixels { width, height, rgb } = picture;
        let pixels = calotype_ml::Pixels::new(width, height, rgb).map_err(failed)?;
        let said = self.ml.embed_image(self.named(name), pixels).await.map_err(failed)?;
        Ok((told(&said.model), said.values))
    }
}

#[async_trait]
impl TextEmbedder for Seeing {
    fn is_there(&self, model: &str) -> bool {
        self.has(self.named(model))
    }

    async fn embed(
        &self,
        model: &str,
        text: &str,
        language: Option<&str>,
    ) -> Result<(ModelRef, Vec<f32>), EmbedTextError> {
        let said = self.ml.embed_text(self.named(model), text, language).await;
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
