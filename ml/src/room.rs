//! The door of the room: what can be asked, who answers, and in which order.

use std::future::Future;
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
use crate::services::{Services, stand_in};
use crate::session::{Input, Numbers, Tensor, Tokens};

/// Where a picture or a text lies in a model's space.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The model: embeddings of two models have nothing to do with one another.
    pub model: ModelRef,
    /// The place: unit length.
    pub values: Vec<f32>,
}

/// What came of asking other machines.
enum Elsewhere<T> {
    /// One answered.
    Found(T),
    /// None did, and why, where there are any.
    Nobody(Option<MlError>),
}

/// Where this machine has no model either, it is said what the others did.
fn rather(others: Option<MlError>, here: MlError) -> MlError {
    let has_none = matches!(
        here,
        MlError::NotInstalled { .. }
            | MlError::RuntimeMissing { .. }
            | MlError::RuntimeUnusable { .. }
            | MlError::NoService { .. }
    );
    others.filter(|_| has_none).unwrap_or(here)
}

/// Models, here and on other machines. Cheap to clone; clones share what is loaded.
#[derive(Debug, Clone)]
pub struct Ml {
    config: Arc<MlConfig>,
    folders: Folders,
    pool: Pool,
    texts: Texts,
    remotes: Arc<Remotes>,
    /// Whether the models that are brought along stand in for Immich's that are not installed.
    has_stand_ins: bool,
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
            has_stand_ins: false,
            folders,
            config: Arc::new(config),
        })
    }

    /// The same models, with these services asked before them. What is no address is passed over.
    ///
    /// # Errors
    /// `BadUrl`: no client can be made to ask any.
    pub fn with_services(&self, services: &Services) -> Result<Self, MlError> {
        let remotes = Arc::new(Remotes::passing_over(services, &self.config)?);
        Ok(Self { remotes, ..self.clone() })
    }

    /// The same models; those that are brought along stand in for Immich's usual ones that are not installed here.
    #[must_use]
    pub fn with_stand_ins(&self) -> Self {
        Self { has_stand_ins: true, ..self.clone() }
    }

    /// The model of this machine that answers where one of this name is wanted.
    #[must_use]
    pub fn named<'a>(&self, kind: ModelKind, wanted: &'a str) -> &'a str {
        match stand_in(kind, wanted) {
            Some(other) if self.has_stand_ins && !self.has(kind, wanted) => other,
            _ => wanted,
        }
    }

    /// Whether a model of this name is installed on this machine.
    #[must_use]
    pub fn has(&self, kind: ModelKind, name: &str) -> bool {
        let is_it = |model: &Installed| model.kind.folder() == kind.folder() && model.name == name;
        self.folders.installed().iter().any(is_it)
    }

    /// Whether other machines are asked.
    #[must_use]
    pub fn has_services(&self) -> bool {
        !self.remotes.is_empty()
    }

    /// The identity of the model of this name on other machines: as they told it last, else by its name alone.
    #[must_use]
    pub fn told(&self, kind: ModelKind, name: &str) -> ModelRef {
        self.remotes.told(kind, name).unwrap_or_else(|| remote::untold(name))
    }

    /// Whether other machines told which model they have under a name, since the start or since they were named.
    #[must_use]
    pub fn was_told(&self, kind: ModelKind, name: &str) -> bool {
        self.remotes.told(kind, name).is_some()
    }

    /// Where a picture lies in the space of a model for search.
    ///
    /// Where services told a model that this machine does not have, and none of them answers, there is no answer:
    /// numbers of another model would be found by nobody. The same is true of words and faces.
    ///
    /// # Errors
    /// Any [`MlError`]; [`MlError::may_pass`] tells those that are worth another try.
    pub async fn embed_image(&self, model: &str, pixels: Pixels) -> Result<Embedding, MlError> {
        let asking = remote::embed_image(&self.remotes, model, &pixels);
        let why = match self.elsewhere(asking).await? {
            Elsewhere::Found(found) => return Ok(found),
            Elsewhere::Nobody(why) => why,
        };
        self.here(Lane::Bulk, model, move |it, model| {
            let model = it.same_as_told(ModelKind::Clip, model)?;
            let values = clip::image(&it.pool, &it.folders, model, &pixels)?;
            Ok(Embedding { model: it.model_ref(ModelKind::Clip, model)?, values })
        })
        .await
        .map_err(|error| rather(why, error))
    }

    /// The longer side of what a model for search looks at, in pixels; nothing where it is not installed here or
    /// its settings cannot be read. Reads a small file, which blocks.
    #[must_use]
    pub fn picture_px(&self, model: &str) -> Option<u32> {
        clip::picture_px(&self.folders, model).ok()
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
        let asking = remote::embed_text(&self.remotes, model, text, language);
        let why = match self.elsewhere(asking).await? {
            Elsewhere::Found(found) => return Ok(found),
            Elsewhere::Nobody(why) => why,
        };
        let (text, language) = (text.to_owned(), language.map(str::to_owned));
        self.here(Lane::Quick, model, move |it, model| {
            let language = language.as_deref();
            let model = it.same_as_told(ModelKind::Clip, model)?;
            let values = clip::text(&it.pool, &it.folders, &it.texts, model, &text, language)?;
            Ok(Embedding { model: it.model_ref(ModelKind::Clip, model)?, values })
        })
        .await
        .map_err(|error| rather(why, error))
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
        let asking = remote::faces(&self.remotes, model, &pixels, min_score);
        let why = match self.elsewhere(asking).await? {
            Elsewhere::Found(found) => return Ok(found),
            Elsewhere::Nobody(why) => why,
        };
        self.here(Lane::Bulk, model, move |it, model| {
            let model = it.same_as_told(ModelKind::FaceRecognition, model)?;
            Ok(Faces {
                model: it.model_ref(ModelKind::FaceDetection, model)?,
                recognition: it.model_ref(ModelKind::FaceRecognition, model)?,
                faces: faces::find(&it.pool, &it.folders, model, &pixels, min_score)?,
            })
        })
        .await
        .map_err(|error| rather(why, error))
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
        let asking = remote::words(&self.remotes, model, &pixels, limits);
        let why = match self.elsewhere(asking).await? {
            Elsewhere::Found(found) => return Ok(found),
            Elsewhere::Nobody(why) => why,
        };
        self.here(Lane::Bulk, model, move |it, model| {
            let model = it.named(ModelKind::Ocr, model);
            Ok(Words {
                model: it.model_ref(ModelKind::Ocr, model)?,
                words: ocr::read_words(&it.pool, &it.folders, model, &pixels, limits)?,
            })
        })
        .await
        .map_err(|error| rather(why, error))
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

    /// Asks other machines, where there are some. That none answered is an error only where this machine may not
    /// do the work.
    async fn elsewhere<T>(
        &self,
        asking: impl Future<Output = Result<T, MlError>>,
    ) -> Result<Elsewhere<T>, MlError> {
        if self.remotes.is_empty() {
            return Ok(Elsewhere::Nobody(None));
        }
        match asking.await {
            Ok(found) => Ok(Elsewhere::Found(found)),
            Err(error @ MlError::NoService { .. }) if self.config.local => {
                Ok(Elsewhere::Nobody(Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    /// The model of this machine for a name, where it is the one that services told under that name, or none told
    /// one yet.
    fn same_as_told<'a>(&self, kind: ModelKind, wanted: &'a str) -> Result<&'a str, MlError> {
        let name = self.named(kind, wanted);
        match self.remotes.told(kind, wanted) {
            Some(told) if self.model_ref(kind, name).ok().as_ref() != Some(&told) => {
                let tried = vec![format!("this machine does not have their {wanted:?}")];
                Err(MlError::NoService { tried, is_reached: false })
            }
            _ => Ok(name),
        }
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
