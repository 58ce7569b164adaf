//! Words in pictures: where they are, cut out and read, as PaddleOCR's models want it (`PP-OCR`, arXiv
//! 2009.09941).

mod crop;
mod detect;
mod read;
mod rectangle;
mod regions;

use crate::error::MlError;
use crate::folders::Folders;
use crate::model::{ModelKind, ModelRef};
use crate::num;
use crate::pixels::Pixels;
use crate::pool::Pool;

/// Regions of one picture that are read; of more, the first from the top.
pub(crate) const WORDS_MAX: usize = 1_000;

/// How closely to look, and how sure to be. The defaults are Immich's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OcrLimits {
    /// The picture's short side while words are looked for, in pixels: smaller words need more.
    pub resolution: u32,
    /// How sure the model must be that there are words, 0 to 1.
    pub min_box_score: f32,
    /// How sure it must be of its reading, 0 to 1.
    pub min_text_score: f32,
}

impl Default for OcrLimits {
    fn default() -> Self {
        Self { resolution: 736, min_box_score: 0.5, min_text_score: 0.8 }
    }
}

/// What is written in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// The model that read it.
    pub model: ModelRef,
    /// Line by line from the top, as far as lines are level.
    pub words: Vec<Word>,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The corners of its box as fractions (0 to 1) of width and height: upper left, upper right, lower right,
    /// lower left.
    pub corners: [[f32; 2]; 4],
    /// How sure the model is that there is text, 0 to 1.
    pub box_score: f32,
    /// What it reads.
    pub text: String,
    /// How sure it is of that, 0 to 1.
    pub text_score: f32,
}

/// Reads what is written.
pub(crate) fn read_words(
    pool: &Pool,
    folders: &Folders,
    model: &str,
    pixels: &Pixels,
    limits: OcrLimits,
) -> Result<Vec<Word>, MlError> {
    let detection = folders.file(ModelKind::Ocr, model, "detection/model.onnx")?;
    let recognition = folders.file(ModelKind::Ocr, model, "recognition/model.onnx")?;
    let regions = pool.with(&detection, detect::check, |loaded| {
        detect::regions(loaded, pixels, limits.resolution, limits.min_box_score)
    })?;
    if regions.is_empty() {
        return Ok(Vec::new());
    }
    pool.with(&recognition, read::check, |loaded| {
        let characters = read::characters(loaded)?;
        let mut words = Vec::new();
        for region in regions {
            let Some(line) = crop::cut_out(pixels, &region.corners) else { continue };
            let (text, score) = read::read(loaded, &line, &characters)?;
            if score >= limits.min_text_score && !text.trim().is_empty() {
                words.push(word(&region, text, score, pixels));
            }
        }
        Ok(words)
    })
}

/// Loads both models and reads the letters.
pub(crate) fn check(pool: &Pool, folders: &Folders, model: &str) -> Result<(), MlError> {
    let detection = folders.file(ModelKind::Ocr, model, "detection/model.onnx")?;
    pool.with(&detection, detect::check, |_| Ok(()))?;
    let recognition = folders.file(ModelKind::Ocr, model, "recognition/model.onnx")?;
    pool.with(&recognition, read::check, |loaded| read::characters(loaded).map(drop))
}

fn word(region: &detect::Region, text: String, text_score: f32, pixels: &Pixels) -> Word {
    let (width, height) = (num::side(pixels.width()), num::side(pixels.height()));
    let corners =
        region.corners.map(|[x, y]| [(x / width).clamp(0.0, 1.0), (y / height).clamp(0.0, 1.0)]);
    Word { corners, box_score: region.score, text, text_score }
}
