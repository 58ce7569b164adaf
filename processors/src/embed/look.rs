//! One asset: its preview as pixels, what the model says of it, and the record of that.

use calotype_commands::embedded::Seen;
use calotype_domain::AssetId;
use calotype_domain::asset::{ProcessorRef, Stage};
use calotype_media::image::PixelsWish;

use super::NAME;
use crate::error::ProcessorError;
use crate::looking::{self, Became, Refusal, Wanted, refusal};
use crate::parked;
use crate::worker::Worker;

/// Rises when models are shown something else of an asset.
const VERSION: u32 = 2;
/// Longer side of what a model is shown, in pixels; models look at a few hundred.
const SIDE_PX_MAX: u32 = 1_440;

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
        let Some(wanted) = self.look_wanted(asset_id, Stage::Embedding).await? else {
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
            Err(refusal) => {
                let program = ProcessorRef { name: NAME.into(), version: VERSION };
                let step = (Stage::Embedding, program);
                self.refuse_look(&ctx, asset_id, wanted, step, refusal).await?;
            }
        }
        Ok(Became::Recorded)
    }

    /// What the model sees. The inner error is the asset's.
    pub(crate) async fn seen(
        &self,
        wanted: &Wanted,
        name: &str,
        last_try: bool,
    ) -> Result<Result<Seen, Refusal>, ProcessorError> {
        let Some(embedder) = &self.embedding.embedder else {
            return Err(ProcessorError::NotYet { after: looking::EVERY });
        };
        let shown = PixelsWish { side_px_max: SIDE_PX_MAX, short_px: embedder.side_px(name).await };
        let pixels = match self.preview_pixels(wanted, shown, last_try).await? {
            Ok(pixels) => pixels,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let started = std::time::Instant::now();
        let (model, values) = match embedder.embed(name, pixels).await {
            Ok(said) => said,
            Err(error) => return error.judged(last_try).map(Err),
        };
        metrics::histogram!("calotype_embed_seconds").record(started.elapsed().as_secs_f64());
        Ok(Seen::new(model, &wanted.original_blake3, &values)
            .map_err(|error| refusal("refused", &error.to_string())))
    }
}
