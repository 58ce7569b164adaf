//! One asset: its preview as pixels, the faces that the model finds on it, and the record of them.

use calotype_commands::found_faces::FaceVectors;
use calotype_domain::asset::{ProcessorRef, Stage};
use calotype_domain::faces::{Area, Detection, Found, PictureSize};
use calotype_domain::{AssetId, FaceId};
use calotype_media::image::PixelsWish;

use super::{NAME, SeenFace, Wish};
use crate::error::ProcessorError;
use crate::looking::{self, Became, Refusal, Wanted, refusal};
use crate::parked;
use crate::worker::Worker;

/// Rises when models are shown something else of an asset.
const VERSION: u32 = 1;

/// Longer side of what a model is shown, in pixels; it looks at a few hundred, and cuts faces out of the whole.
const SIDE_PX_MAX: u32 = 1_440;

/// What was found, ready to be recorded.
pub(crate) struct Findings {
    pub(crate) detection: Detection,
    pub(crate) vectors: Option<FaceVectors>,
}

impl Worker {
    /// Lets a model look for faces on one asset.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later; nothing was recorded.
    #[tracing::instrument(name = "processors.faces", skip_all, fields(asset.id = %asset_id))]
    pub(super) async fn look_for_faces(
        &self,
        asset_id: AssetId,
        wish: &Wish,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        let Some(wanted) = self.look_wanted(asset_id, Stage::Faces).await? else {
            return Ok(Became::NothingWanted);
        };
        if wanted.is_being_pictured {
            return Ok(Became::Later);
        }
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        match self.found(&wanted, wish, last_try).await? {
            Ok(Findings { detection, vectors }) => {
                let bytes = vectors.map(|vectors| vectors.bytes);
                self.commands.record_faces(&ctx, asset_id, detection, bytes).await?;
                parked::unpark(&self.pool, NAME, asset_id).await?;
            }
            Err(refusal) => {
                let step = (Stage::Faces, ProcessorRef { name: NAME.into(), version: VERSION });
                self.refuse_look(&ctx, asset_id, wanted, step, refusal).await?;
            }
        }
        Ok(Became::Recorded)
    }

    /// What the model finds. The inner error is the asset's.
    pub(crate) async fn found(
        &self,
        wanted: &Wanted,
        wish: &Wish,
        last_try: bool,
    ) -> Result<Result<Findings, Refusal>, ProcessorError> {
        let Some(finder) = &self.finding.finder else {
            return Err(ProcessorError::NotYet { after: looking::EVERY });
        };
        let pixels =
            match self.preview_pixels(wanted, PixelsWish::whole(SIDE_PX_MAX), last_try).await? {
                Ok(pixels) => pixels,
                Err(refusal) => return Ok(Err(refusal)),
            };
        let size = PictureSize { width: pixels.width, height: pixels.height };
        let started = std::time::Instant::now();
        let (model, seen) = match finder.find(&wish.name, pixels, real(wish.score_min)).await {
            Ok(said) => said,
            Err(error) => return error.judged(last_try).map(Err),
        };
        metrics::histogram!("calotype_find_faces_seconds").record(started.elapsed().as_secs_f64());
        let mut found = Vec::with_capacity(seen.len());
        let mut numbers = Vec::with_capacity(seen.len());
        for SeenFace { sides, score, vector } in seen {
            let area = area(sides, size);
            if !area.is_valid() {
                continue;
            }
            found.push(Found { fresh_id: FaceId::new(self.commands.ids().v4()), area, score });
            numbers.push(vector);
        }
        let vectors = match FaceVectors::new(&numbers) {
            Ok(vectors) => vectors,
            Err(error) => return Ok(Err(refusal("refused", &error.to_string()))),
        };
        let detection = Detection {
            model,
            input_blake3: wanted.original_blake3.clone(),
            size,
            found,
            vectors_blake3: vectors.as_ref().map(|vectors| vectors.blake3.clone()),
            dims: vectors.as_ref().map(|vectors| vectors.dims),
        };
        Ok(Ok(Findings { detection, vectors }))
    }
}

/// A box in pixels as fractions of the picture; what lies outside is cut off.
fn area([left, top, right, bottom]: [f32; 4], size: PictureSize) -> Area {
    let part = |pixels: f32, whole: u32| (f64::from(pixels) / f64::from(whole)).clamp(0.0, 1.0);
    Area {
        left: part(left, size.width),
        top: part(top, size.height),
        right: part(right, size.width),
        bottom: part(bottom, size.height),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a setting between 0 and 1")]
fn real(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_is_a_part_of_the_picture() {
        let size = PictureSize { width: 200, height: 100 };
        let found = area([-10.0, 25.0, 50.0, 100.0], size);
        assert_eq!(found, Area { left: 0.0, top: 0.25, right: 0.25, bottom: 1.0 });
        assert!(!area([f32::NAN, 0.0, 1.0, 1.0], size).is_valid());
        assert!(!area([0.0, 0.0, 1.0, 1.0], PictureSize::default()).is_valid());
    }
}
