//! What is written in pictures.

use async_trait::async_trait;
use calotype_domain::asset::{TextBox, TextLimits};
use calotype_domain::model::ModelRef;
use calotype_media::image::Pixels;
use calotype_ml::{ModelKind, OcrLimits, Word};
use calotype_processors::embed::ModelError;
use calotype_processors::text::Reader;

use super::{Seeing, failed, pixels, told};

#[async_trait]
impl Reader for Seeing {
    async fn model(&self, name: &str) -> Result<ModelRef, ModelError> {
        self.model_of(ModelKind::Ocr, name).await
    }

    async fn read(
        &self,
        name: &str,
        picture: Pixels,
        limits: TextLimits,
    ) -> Result<(ModelRef, Vec<(String, TextBox)>), ModelError> {
        let ml = self.ml().await;
        let found = ml.words(name, pixels(picture)?, closely(limits)).await.map_err(failed)?;
        Ok((told(&found.model), found.words.into_iter().map(line).collect()))
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "scores lie between 0 and 1"
)]
const fn closely(limits: TextLimits) -> OcrLimits {
    OcrLimits {
        resolution: limits.resolution_px,
        min_box_score: limits.box_score_min as f32,
        min_text_score: limits.text_score_min as f32,
    }
}

fn line(word: Word) -> (String, TextBox) {
    let place = TextBox {
        corners: word.corners.map(|corner| corner.map(f64::from)),
        box_score: word.box_score.into(),
        text_score: word.text_score.into(),
    };
    (word.text, place)
}
