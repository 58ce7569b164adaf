//! One asset: its preview as pixels, what the model reads in it, and the record of that.

use calotype_commands::text::Text;
use calotype_domain::AssetId;
use calotype_domain::asset::{ProcessorRef, Stage, TextReader};
use calotype_media::image::PixelsWish;

use super::{NAME, Wish};
use crate::error::ProcessorError;
use crate::looking::{self, Became, Refusal, Wanted};
use crate::parked;
use crate::worker::Worker;

/// Rises when models are shown something else of an asset.
const VERSION: u32 = 1;
/// Longer side of what a model is shown, in pixels. Small print needs all that the preview has.
const SIDE_PX_MAX: u32 = 4_096;

impl Worker {
    /// Lets a model read one asset.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later; nothing was recorded.
    #[tracing::instrument(name = "processors.text", skip_all, fields(asset.id = %asset_id))]
    pub(super) async fn read_with_model(
        &self,
        asset_id: AssetId,
        wish: &Wish,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        let Some(wanted) = self.look_wanted(asset_id, Stage::Text).await? else {
            return Ok(Became::NothingWanted);
        };
        if wanted.is_being_pictured {
            return Ok(Became::Later);
        }
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        match self.read_preview(&wanted, wish, last_try).await? {
            Ok(text) => {
                self.commands.record_text(&ctx, asset_id, &text).await?;
                parked::unpark(&self.pool, NAME, asset_id).await?;
            }
            Err(refusal) => {
                let step = (Stage::Text, ProcessorRef { name: NAME.into(), version: VERSION });
                self.refuse_look(&ctx, asset_id, wanted, step, refusal).await?;
            }
        }
        Ok(Became::Recorded)
    }

    /// What the model reads. The inner error is the asset's.
    pub(crate) async fn read_preview(
        &self,
        wanted: &Wanted,
        wish: &Wish,
        last_try: bool,
    ) -> Result<Result<Text, Refusal>, ProcessorError> {
        let Some(reader) = &self.reading.reader else {
            return Err(ProcessorError::NotYet { after: looking::EVERY });
        };
        let pixels =
            match self.preview_pixels(wanted, PixelsWish::whole(SIDE_PX_MAX), last_try).await? {
                Ok(pixels) => pixels,
                Err(refusal) => return Ok(Err(refusal)),
            };
        let started = std::time::Instant::now();
        let (model, lines) = match reader.read(&wish.name, pixels, wish.limits).await {
            Ok(said) => said,
            Err(error) => return error.judged(last_try).map(Err),
        };
        metrics::histogram!("calotype_text_seconds").record(started.elapsed().as_secs_f64());
        let reader = TextReader { model, limits: wish.limits };
        Ok(Ok(Text::new(reader, &wanted.original_blake3, lines)))
    }
}
