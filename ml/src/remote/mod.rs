//! Models on other machines: services that speak Immich's machine-learning protocol, Immich's own or
//! `calotype serve --roles ml`.
//!
//! `POST /predict` takes a form with `entries`, which says in JSON what to do with which model, and `image` or
//! `text`; `GET /ping` answers `pong`. An answer is not believed before it is checked: another machine may be
//! broken, or another program.

mod answers;
mod client;

use serde_json::{Value, json};

pub(crate) use client::{Payload, Remotes};

use crate::error::MlError;
use crate::faces::Faces;
use crate::model::{ModelKind, ModelRef};
use crate::ocr::{OcrLimits, Words};
use crate::pixels::Pixels;
use crate::room::Embedding;
use crate::services::stand_in;

/// Under this key an answer of ours says which models gave it, as an object of task and [`ModelRef`]. Immich's
/// has none, and Immich passes over it.
pub const MODELS_KEY: &str = "calotypeModels";
/// The revision of a model whose files are not known.
const REVISION: &str = "remote";
/// The longest revision that a service is believed, in bytes: it goes into events in clear.
const REVISION_BYTES_MAX: usize = 64;

/// What was found out, in one of the forms of the protocol.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicted {
    /// A place in the space of a model for search.
    Embedding(Embedding),
    /// A picture's faces.
    Faces(Faces),
    /// A picture's words.
    Words(Words),
}

impl Predicted {
    /// The protocol's answer, without the size of the picture.
    #[must_use]
    pub fn to_json(&self, pixels: Option<&Pixels>) -> Value {
        answers::write(self, pixels)
    }
}

pub(crate) async fn embed_image(
    remotes: &Remotes,
    model: &str,
    pixels: &Pixels,
) -> Result<Embedding, MlError> {
    let entries = json!({ "clip": { "visual": { "modelName": model } } });
    let payload = Payload::of(pixels).await?;
    let found = remotes.ask(&entries, &payload, |answer| answers::embedding(answer, model)).await?;
    remotes.tell(ModelKind::Clip, model, &found.model);
    Ok(found)
}

pub(crate) async fn embed_text(
    remotes: &Remotes,
    model: &str,
    text: &str,
    language: Option<&str>,
) -> Result<Embedding, MlError> {
    let mut textual = json!({ "modelName": model });
    if let Some(language) = language {
        textual["options"] = json!({ "language": language });
    }
    let entries = json!({ "clip": { "textual": textual } });
    let payload = Payload::Text(text.to_owned());
    let found = remotes.ask(&entries, &payload, |answer| answers::embedding(answer, model)).await?;
    remotes.tell(ModelKind::Clip, model, &found.model);
    Ok(found)
}

pub(crate) async fn faces(
    remotes: &Remotes,
    model: &str,
    pixels: &Pixels,
    min_score: f32,
) -> Result<Faces, MlError> {
    let entries = json!({ "facial-recognition": {
        "detection": { "modelName": model, "options": { "minScore": min_score } },
        "recognition": { "modelName": model },
    } });
    let payload = Payload::of(pixels).await?;
    let found =
        remotes.ask(&entries, &payload, |answer| answers::faces(answer, model, pixels)).await?;
    remotes.tell(ModelKind::FaceDetection, model, &found.model);
    remotes.tell(ModelKind::FaceRecognition, model, &found.recognition);
    Ok(found)
}

pub(crate) async fn words(
    remotes: &Remotes,
    model: &str,
    pixels: &Pixels,
    limits: OcrLimits,
) -> Result<Words, MlError> {
    let entries = json!({ "ocr": {
        "detection": {
            "modelName": model,
            "options": { "minScore": limits.min_box_score, "maxResolution": limits.resolution },
        },
        "recognition": { "modelName": model, "options": { "minScore": limits.min_text_score } },
    } });
    let payload = Payload::of(pixels).await?;
    let mut found = remotes.ask(&entries, &payload, |answer| answers::words(answer, model)).await?;
    remotes.tell(ModelKind::Ocr, model, &found.model);
    // A service may not know of limits.
    found.words.retain(|word| {
        word.box_score >= limits.min_box_score
            && word.text_score >= limits.min_text_score
            && !word.text.trim().is_empty()
    });
    Ok(found)
}

/// The identity of a model whose files are somewhere else: what the answer says of it, or its name alone.
fn model_of(answer: &Value, kind: ModelKind, name: &str) -> ModelRef {
    let told = answer.get(MODELS_KEY).and_then(|models| models.get(task(kind)));
    let told = told.and_then(|model| serde_json::from_value::<ModelRef>(model.clone()).ok());
    let is_asked = |told: &ModelRef| told.name == name || stand_in(kind, name) == Some(&told.name);
    let is_short = |told: &ModelRef| {
        let revision = told.revision.as_bytes();
        revision.len() <= REVISION_BYTES_MAX && revision.iter().all(u8::is_ascii_graphic)
    };
    told.filter(is_asked).filter(is_short).unwrap_or_else(|| untold(name))
}

/// The identity of a model that a service does not tell.
pub(crate) fn untold(name: &str) -> ModelRef {
    use sha2::Digest as _;

    let sha256 = sha2::Sha256::digest(name).into();
    ModelRef { name: name.to_owned(), revision: REVISION.to_owned(), sha256 }
}

/// What a model is called under [`MODELS_KEY`].
fn task(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Clip => "clip",
        ModelKind::FaceDetection => "detection",
        ModelKind::FaceRecognition => "recognition",
        ModelKind::Ocr => "ocr",
    }
}
