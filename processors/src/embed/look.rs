//! One asset: its preview as pixels, what the model says of it, and the record of that.

use calotype_commands::embedded::Seen;
use calotype_domain::asset::{AssetEvent, AssetProcessingFailed, ProcessorRef, Stage};
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use calotype_projections::because;
use tracing::info;
use uuid::Uuid;

use super::{Became, EmbedError, NAME};
use crate::develop::failure_code;
use crate::error::ProcessorError;
use crate::parked;
use crate::worker::Worker;

/// Rises when models are shown something else of an asset.
const VERSION: u32 = 1;
/// Longer side of what a model is shown, in pixels; models look at a few hundred.
const SIDE_PX_MAX: u32 = 1_440;

/// An asset that waits for a model.
struct Wanted {
    owner_id: UserId,
    original_blake3: String,
    preview_key: Option<String>,
    /// Whether its pictures are still being made.
    is_being_pictured: bool,
    correlation_id: Uuid,
    event_id: Uuid,
}

/// Why there is no vector, as it is recorded.
struct Refusal {
    code: String,
    reason: String,
}

impl Worker {
    /// Lets the model with this name look at one asset.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later; nothing was recorded.
    #[tracing::instrument(name = "processors.embed", skip_all, fields(asset.id = %asset_id))]
    pub(super) async fn look_with_model(
        &self,
        asset_id: AssetId,
        name: &str,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        let Some(wanted) = self.embedding_wanted(asset_id).await? else {
            return Ok(Became::NothingWanted);
        };
        if wanted.is_being_pictured {
            return Ok(Became::Later);
        }
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        match self.seen(&wanted, name, last_try).await? {
            Ok(seen) => {
                self.commands.record_embedding(&ctx, asset_id, &seen).await?;
                parked::unpark(&self.pool, NAME, asset_id).await?;
            }
            Err(Refusal { code, reason }) => {
                info!(code, "parked an asset: {reason}");
                parked::park(&self.pool, NAME, asset_id, wanted.event_id, &code, &reason).await?;
                let failed = AssetProcessingFailed {
                    stage: Stage::Embedding,
                    processor: ProcessorRef { name: NAME.into(), version: VERSION },
                    input_blake3: wanted.original_blake3.clone(),
                    code,
                    reason,
                };
                self.commands.record_embedding_failure(&ctx, asset_id, failed).await?;
            }
        }
        Ok(Became::Recorded)
    }

    /// What the model sees. The inner error is the asset's.
    async fn seen(
        &self,
        wanted: &Wanted,
        name: &str,
        last_try: bool,
    ) -> Result<Result<Seen, Refusal>, ProcessorError> {
        let Some(embedder) = &self.embedding.embedder else {
            return Err(ProcessorError::NotYet { after: super::EVERY });
        };
        let preview = wanted.preview_key.as_ref().and_then(|key| BlobKey::parse(key).ok());
        let Some(preview) = preview else {
            return Ok(Err(refusal("no_preview", "there is no preview to look at")));
        };
        let source = self.source_of(preview.as_str()).await?;
        let decoders = self.decoders.apart(wanted.owner_id.uuid());
        let decoding = decoders.pixels(source.path().to_owned(), SIDE_PX_MAX);
        let pixels = match self.gate.unless_closed(decoding).await? {
            Ok(pixels) => pixels,
            Err(error) if error.is_worth_retrying() && !last_try => {
                return Err(ProcessorError::Decoder(error));
            }
            Err(error) => return Ok(Err(refusal(failure_code(&error), &error.to_string()))),
        };
        let started = std::time::Instant::now();
        let (model, values) = match embedder.embed(name, pixels).await {
            Ok(said) => said,
            Err(EmbedError::Refused(error)) => {
                return Ok(Err(refusal("refused", &because(&*error))));
            }
            Err(EmbedError::Failed(error)) if last_try => {
                return Ok(Err(refusal("refused", &because(&*error))));
            }
            // That a model is away is no fault of the asset, however long it takes.
            Err(error @ (EmbedError::Unavailable(_) | EmbedError::Failed(_))) => {
                return Err(ProcessorError::Model(error));
            }
        };
        metrics::histogram!("calotype_embed_seconds").record(started.elapsed().as_secs_f64());
        Ok(Seen::new(model, &wanted.original_blake3, &values)
            .map_err(|error| refusal("refused", &error.to_string())))
    }

    async fn embedding_wanted(&self, asset_id: AssetId) -> Result<Option<Wanted>, ProcessorError> {
        let history = self.asset_events(asset_id).await?;
        let Some(last) = history.events.last() else { return Ok(None) };
        let (correlation_id, event_id) = (last.correlation_id, last.event_id);
        let preview_key = history.whats().fold(None, |known, what| match what {
            AssetEvent::ThumbnailsRecorded(made) => Some(made.preview.key.clone()),
            _ => known,
        });
        let asset = history.asset;
        let Some(owner_id) = asset.owner_id() else { return Ok(None) };
        Ok(asset.is_asked_for(Stage::Embedding).then(|| Wanted {
            owner_id,
            original_blake3: asset.original_blake3().to_owned(),
            preview_key,
            is_being_pictured: asset.is_asked_for(Stage::Thumbnails),
            correlation_id,
            event_id,
        }))
    }
}

fn refusal(code: &str, reason: &str) -> Refusal {
    Refusal { code: code.to_owned(), reason: reason.to_owned() }
}
