//! Texts as vectors: said by a model, and kept, because a search is asked for page by page.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use calotype_domain::model::ModelRef;
use calotype_projections::embeddings::Near;
use moka::sync::Cache;

use crate::problem::Problem;
use crate::state::Api;

/// Memory for vectors of texts, in bytes: about 3,500 of 512 numbers.
const TEXTS_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// What an entry takes beside its text and its numbers.
const ENTRY_BYTES: usize = 200;
/// Longest language that a model is told, in bytes: RFC 5646 names 35 as enough for all that are in use.
const LANGUAGE_BYTES_MAX: usize = 35;
/// The model is asked anew after this: another may have taken its place.
const TEXT_KEPT_FOR: Duration = Duration::from_secs(600);

/// Why a model said nothing of a text.
#[derive(Debug, thiserror::Error)]
pub enum EmbedTextError {
    /// There is no such model, or it is out of reach.
    #[error("the model is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It failed.
    #[error("the model failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A model that turns words into vectors which lie near to those of pictures that show what the words say.
#[async_trait]
pub trait TextEmbedder: Send + Sync {
    /// Whether the model with this name can be asked.
    async fn is_there(&self, model: &str) -> bool;

    /// Whether a model with this name that reads what is written in pictures can be asked.
    async fn can_read(&self, model: &str) -> bool;

    /// The vector of a text at unit length, and which model said it. The language is a hint such as `de`.
    ///
    /// # Errors
    /// [`EmbedTextError`].
    async fn embed(
        &self,
        model: &str,
        text: &str,
        language: Option<&str>,
    ) -> Result<(ModelRef, Vec<f32>), EmbedTextError>;
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    model: String,
    text: String,
    language: Option<String>,
}

/// Remembers vectors of texts.
#[derive(Clone)]
pub(crate) struct Texts(Cache<Key, Arc<Near>>);

impl Default for Texts {
    fn default() -> Self {
        let known = Cache::builder()
            .max_capacity(TEXTS_BYTES_MAX)
            .weigher(|key: &Key, near: &Arc<Near>| {
                let language = key.language.as_ref().map_or(0, String::len);
                let words = key.model.len() + key.text.len() + language;
                let bytes = ENTRY_BYTES + words + size_of_val(near.values.as_slice());
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .time_to_live(TEXT_KEPT_FOR)
            .build();
        Self(known)
    }
}

/// The vector of a text by the model that administrators want.
///
/// # Errors
/// 400 where searching by meaning is off or there is no model; 500 where the model failed.
pub(super) async fn near(
    api: &Api,
    text: &str,
    language: Option<&str>,
) -> Result<Arc<Near>, Problem> {
    let settings = api.queries.settings().await?;
    let model = settings.text("machineLearning.clip.modelName");
    let Some(embedder) = &api.embedder else { return Err(not_enabled()) };
    // A hint that names no language is none.
    let language = language.filter(|language| language.len() <= LANGUAGE_BYTES_MAX);
    let key = Key {
        model: model.to_owned(),
        text: text.to_owned(),
        language: language.map(str::to_owned),
    };
    if let Some(known) = api.texts.0.get(&key) {
        return Ok(known);
    }
    let (said_by, values) =
        embedder.embed(model, text, language).await.map_err(|error| match error {
            EmbedTextError::Unavailable(source) => {
                tracing::warn!(
                    error = &*source as &dyn std::error::Error,
                    "no model to search with"
                );
                not_enabled()
            }
            EmbedTextError::Failed(_) => Problem::internal(&error),
        })?;
    let near = Arc::new(Near::new(&said_by, values));
    api.texts.0.insert(key, Arc::clone(&near));
    Ok(near)
}

/// Said where nothing is searched by meaning.
pub(super) fn not_enabled() -> Problem {
    Problem::bad_request("Smart search is not enabled")
}
