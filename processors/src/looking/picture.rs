//! One asset that waits for a model: its preview as pixels, and the record that no model can look at it.

use calotype_commands::CommandContext;
use calotype_domain::asset::{Asset, AssetEvent, AssetProcessingFailed, ProcessorRef, Stage};
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use calotype_media::image::{Pixels, PixelsWish};
use calotype_projections::because;
use tracing::info;
use uuid::Uuid;

use super::ModelError;
use crate::develop::failure_code;
use crate::error::ProcessorError;
use crate::parked;
use crate::worker::Worker;

/// An asset that waits for a model.
pub(crate) struct Wanted {
    pub(crate) owner_id: UserId,
    pub(crate) original_blake3: String,
    preview_key: Option<String>,
    /// Whether its pictures are still being made.
    pub(crate) is_being_pictured: bool,
    pub(crate) correlation_id: Uuid,
    pub(crate) event_id: Uuid,
    asset: Asset,
}

impl Wanted {
    fn is_asked_for(&self, stage: Stage) -> bool {
        self.asset.is_asked_for(stage)
    }
}

/// Why a model says nothing of an asset, as it is recorded.
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) reason: String,
}

pub(crate) fn refusal(code: &str, reason: &str) -> Refusal {
    Refusal { code: code.to_owned(), reason: reason.to_owned() }
}

impl Worker {
    /// An asset that waits for a step; nothing where it does not.
    pub(crate) async fn look_wanted(
        &self,
        asset_id: AssetId,
        stage: Stage,
    ) -> Result<Option<Wanted>, ProcessorError> {
        Ok(self.look_possible(asset_id).await?.filter(|wanted| wanted.is_asked_for(stage)))
    }

    /// An asset that models can look at, whether anybody asked for it or not; nothing where there is none.
    pub(crate) async fn look_possible(
        &self,
        asset_id: AssetId,
    ) -> Result<Option<Wanted>, ProcessorError> {
        let history = self.asset_events(asset_id).await?;
        let Some(last) = history.events.last() else { return Ok(None) };
        let (correlation_id, event_id) = (last.correlation_id, last.event_id);
        let preview_key = history.whats().fold(None, |known, what| match what {
            AssetEvent::ThumbnailsRecorded(made) => Some(made.preview.key.clone()),
            _ => known,
        });
        let asset = history.asset;
        let Some(owner_id) = asset.owner_id() else { return Ok(None) };
        Ok(Some(Wanted {
            owner_id,
            original_blake3: asset.original_blake3().to_owned(),
            preview_key,
            is_being_pictured: asset.is_asked_for(Stage::Thumbnails),
            correlation_id,
            event_id,
            asset,
        }))
    }

    /// The pixels of its preview. The inner error is the asset's.
    pub(crate) async fn preview_pixels(
        &self,
        wanted: &Wanted,
        wish: PixelsWish,
        last_try: bool,
    ) -> Result<Result<Pixels, Refusal>, ProcessorError> {
        let preview = wanted.preview_key.as_ref().and_then(|key| BlobKey::parse(key).ok());
        let Some(preview) = preview else {
            return Ok(Err(refusal("no_preview", "there is no preview to look at")));
        };
        let source = self.source_of(preview.as_str()).await?;
        let decoders = self.decoders.apart(wanted.owner_id.uuid());
        let decoding = decoders.pixels(source.path().to_owned(), wish);
        match self.gate.unless_closed(decoding).await? {
            Ok(pixels) => Ok(Ok(pixels)),
            Err(error) if error.is_worth_retrying() && !last_try => {
                Err(ProcessorError::Decoder(error))
            }
            Err(error) => Ok(Err(refusal(failure_code(&error), &error.to_string()))),
        }
    }

    /// Records that no model can look at the asset.
    pub(crate) async fn refuse_look(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        wanted: Wanted,
        (stage, processor): (Stage, ProcessorRef),
        Refusal { code, reason }: Refusal,
    ) -> Result<(), ProcessorError> {
        info!(code, "parked an asset: {reason}");
        let name = processor.name.clone();
        parked::park(&self.pool, &name, asset_id, wanted.event_id, &code, &reason).await?;
        let input_blake3 = wanted.original_blake3;
        let failed = AssetProcessingFailed { stage, processor, input_blake3, code, reason };
        self.commands.record_model_failure(ctx, asset_id, failed).await?;
        Ok(())
    }
}

impl ModelError {
    /// What it means for the asset: tried again, or given up.
    pub(crate) fn judged(self, last_try: bool) -> Result<Refusal, ProcessorError> {
        match self {
            Self::Refused(error) => Ok(refusal("refused", &because(&*error))),
            Self::Failed(error) if last_try => Ok(refusal("refused", &because(&*error))),
            // That a model is away is no fault of the asset, however long it takes.
            error @ (Self::Unavailable(_) | Self::Unanswered(_) | Self::Failed(_)) => {
                Err(ProcessorError::Model(error))
            }
        }
    }
}
