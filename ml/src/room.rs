//! The door of the room: what can be asked, who answers, and in which order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clip::{self, Texts};
use crate::config::MlConfig;
use crate::error::MlError;
use crate::faces::{self, Faces};
use crate::folders::Folders;
use crate::model::{Installed, ModelKind, ModelRef};
use crate::ocr::{self, OcrLimits, Words};
use crate::pixels::Pixels;
use crate::pool::{Lane, Pool};
use crate::remote::{self, Remotes};
use crate::session::{Input, Numbers, Tensor, Tokens};

/// Where a picture or a text lies in a model's space.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The model: embeddings of two models have nothing to do with one another.
    pub model: ModelRef,
    /// The place: unit length.
    pub values: Vec<f32>,
}

/// Models, here and on other machines. Cheap to clone; clones share what is loaded.
#[derive(Debug, Clone)]
pub struct Ml {
    config: Arc<MlConfig>,
    folders: Folders,
    pool: Pool,
    texts: Texts,
    remotes: Arc<Remotes>,
}

impl Ml {
    /// Looks at nothing and loads nothing; what is missing is said when it is needed.
    ///
    /// # Errors
    /// `BadUrl`: an address of a service cannot be used.
    pub fn new(config: MlConfig) -> Result<Self, MlError> {
        let folders = Folders::new(config.folders.clone());
        Ok(Self {
            pool: Pool::new(&config, folders.clone()),
            remotes: Arc::new(Remotes::new(&config.remotes, &config)?),
            texts: Texts::default(),
            folders,
            config: Arc::new(config),
        })
    }

    /// The same models, with other services asked before them; what is known of the former ones is forgotten.
    ///
    /// # Errors
    /// `BadUrl`: an address cannot be used.
    pub fn with_remotes(&self, urls: &[String]) -> Result<Self, MlError> {
        let remotes = Arc::new(Remotes::new(urls, &self.config)?);
        Ok(Self { remotes, ..self.clone() })
    }

    /// Where a picture lies in the space of a model for search.
    ///
    /// # Errors
    /// Any [`MlError`]; [`MlError::may_pass`] tells those that are worth another try.
    pub async fn embed_image(&self, model: &str, pixels: Pixels) -> Result<Embedding, MlError> {
        if !self.remotes.is_empty() {
            match remote::embed_image(&self.remotes, model, &pixels).await {
                Err(MlError::NoService { .. }) if self.config.local => {}
                answer => return answer,
            }
        }
        self.here(Lane::Bulk, model, move |it, model| {
            let values = clip::image(&it.pool, &it.folders, model, &pixels)?;
            Ok(Embedding { model: it.model_ref(ModelKind::Clip, model)?, values })
        })
        .await
    }

    /// Where words lie in it. `language` is a web client's, such as `de-AT`; most models pass over it.
    ///
    /// # Errors
    /// As [`Self::embed_image`].
    pub async fn embed_text(
        &self,
        model: &str,
        text: &str,
        language: Option<&str>,
    ) -> Result<Embedding, MlError> {
        if !self.remotes.is_empty() {
            match remote::embed_text(&self.remotes, model, text, language).await {
                Err(MlError::NoService { .. }) if self.config.local => {}
                answer => return answer,
            }
        }
        let (text, language) = (text.to_owned(), language.map(str::to_owned));
        self.here(Lane::Quick, model, move |it, model| {
            let language = language.as_deref();
            let values = clip::text(&it.pool, &it.folders, &it.texts, model, &text, language)?;
            Ok(Embedding { model: it.model_ref(ModelKind::Clip, model)?, values })
        })
        .await
    }

    /// A picture's faces with a score of at least `min_score` (0 to 1).
    ///
    /// # Errors
    /// As [`Self::embed_image`].
    pub async fn faces(
        &self,
        model: &str,
        pixels: Pixels,
        min_score: f32,
    ) -> Result<Faces, MlError> {
        if !self.remotes.is_empty() {
            match remote::faces(&self.remotes, model, &pixels, min_score).await {
                Err(MlError::NoService { .. }) if self.config.local => {}
                answer => return answer,
            }
        }
        self.here(Lane::Bulk, model, move |it, model| {
            Ok(Faces {
                model: it.model_ref(ModelKind::FaceDetection, model)?,
                recognition: it.model_ref(ModelKind::FaceRecognition, model)?,
                faces: faces::find(&it.pool, &it.folders, model, &pixels, min_score)?,
            })
        })
        .await
    }

    /// What is written in a picture.
    ///
    /// # Errors
    /// As [`Self::embed_image`].
    pub async fn words(
        &self,
        model: &str,
        pixels: Pixels,
        limits: OcrLimits,
    ) -> Result<Words, MlError> {
        if !self.remotes.is_empty() {
            match remote::words(&self.remotes, model, &pixels, limits).await {
                Err(MlError::NoService { .. }) if self.config.local => {}
                answer => return answer,
            }
        }
        self.here(Lane::Bulk, model, move |it, model| {
            Ok(Words {
                model: it.model_ref(ModelKind::Ocr, model)?,
                words: ocr::read_words(&it.pool, &it.folders, model, &pixels, limits)?,
            })
        })
        .await
    }

    /// The identity of a model on this machine. The first time its files are read, which blocks for a second a
    /// gigabyte; an embedding brings its own along.
    ///
    /// # Errors
    /// `NotInstalled`, `BadName`; `Unreadable` and `BadModel` of its files.
    pub fn model_ref(&self, kind: ModelKind, model: &str) -> Result<ModelRef, MlError> {
        self.folders.model_ref(kind, model)
    }

    /// Loads a model and says whether it takes and gives what it must. Blocks.
    ///
    /// # Errors
    /// As [`Self::model_ref`]; `RuntimeMissing`, `RuntimeUnusable`; `BadModel` with the reason.
    pub fn check(&self, kind: ModelKind, model: &str) -> Result<ModelRef, MlError> {
        match kind {
            ModelKind::Clip => clip::check(&self.pool, &self.folders, &self.texts, model)?,
            ModelKind::FaceDetection | ModelKind::FaceRecognition => {
                faces::check(&self.pool, &self.folders, model)?;
            }
            ModelKind::Ocr => ocr::check(&self.pool, &self.folders, model)?,
        }
        self.model_ref(kind, model)
    }

    /// The models on this machine.
    #[must_use]
    pub fn installed(&self) -> Vec<Installed> {
        self.folders.installed()
    }

    /// How many models are in memory, and the size of their files in bytes.
    #[must_use]
    pub fn loaded(&self) -> (usize, u64) {
        self.pool.loaded()
    }

    /// Unloads what will have rested long enough at `now`. It happens by itself; this is for those who cannot
    /// wait.
    pub fn unload_idle(&self, now: Instant) {
        self.pool.sweep(now);
    }

    /// How long a file of a model takes for zeros of a shape, without any step of ours: for measurements.
    /// Blocks.
    ///
    /// # Errors
    /// As [`Self::check`]; `Failed`: it takes another shape.
    #[doc(hidden)]
    pub fn time_bare(
        &self,
        kind: ModelKind,
        model: &str,
        file: &str,
        shape: &[usize],
    ) -> Result<Duration, MlError> {
        let file = self.folders.file(kind, model, file)?;
        self.pool.with(
            &file,
            |_| Ok(()),
            |loaded| {
                let count = shape.iter().product();
                let zeros = if loaded.inputs[0].numbers == Some(Numbers::F32) {
                    Input::Real(Tensor { shape: shape.to_vec(), values: vec![0.0; count] })
                } else {
                    Input::Whole(Tokens { shape: shape.to_vec(), values: vec![0; count] })
                };
                let started = Instant::now();
                loaded.run(vec![zeros])?;
                Ok(started.elapsed())
            },
        )
    }

    /// Does work on a thread that may block, when its turn has come. Once begun it is finished, also when
    /// nobody waits for it any more.
    async fn here<T: Send + 'static>(
        &self,
        lane: Lane,
        model: &str,
        work: impl FnOnce(&Self, &str) -> Result<T, MlError> + Send + 'static,
    ) -> Result<T, MlError> {
        let permit = self.pool.admit(lane).await?;
        let (it, model) = (self.clone(), model.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&it, &model)
        });
        done.await.map_err(|_ended| MlError::GivenUp)?
    }
}
