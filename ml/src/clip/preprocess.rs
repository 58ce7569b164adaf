//! From a picture to a model's input, as OpenCLIP's `preprocess_cfg.json` says.

use serde::Deserialize;

use super::scale::{Filter, scale};
use crate::error::MlError;
use crate::num;
use crate::pixels::{Pixels, by_byte};
use crate::session::Tensor;

/// The longest side of an input, in pixels.
const INPUT_PX_MAX: u32 = 1_024;
/// The longest side that a picture may have before it is cropped, in pixels: a panorama is cut first.
const BEFORE_CROP_PX_MAX: u32 = 16_384;

/// How a picture of another shape becomes a square.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// The shorter side fits, the middle is taken.
    #[default]
    Shortest,
    /// The longer side fits, the rest is filled.
    Longest,
    /// Both fit; shapes change. `SigLIP`'s models want it.
    Squash,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
struct Settings {
    size: Size,
    #[serde(default = "openai_mean")]
    mean: [f32; 3],
    #[serde(default = "openai_std")]
    std: [f32; 3],
    interpolation: Option<String>,
    #[serde(default)]
    resize_mode: Mode,
    #[serde(default)]
    fill_color: Fill,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Square(u32),
    /// Height, width.
    Sides([u32; 2]),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Fill {
    Grey(u8),
    Colour([u8; 3]),
}

impl Default for Fill {
    fn default() -> Self {
        Self::Grey(0)
    }
}

/// What is done to a picture.
#[derive(Debug, PartialEq)]
pub(super) struct Steps {
    width: u32,
    height: u32,
    mean: [f32; 3],
    std: [f32; 3],
    filter: Filter,
    mode: Mode,
    fill: u8,
}

impl Steps {
    /// Reads the file. What it leaves out is as in the models of `OpenAI`.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let settings: Settings = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let (height, width) = match settings.size {
            Size::Square(side) => (side, side),
            Size::Sides([height, width]) => (height, width),
        };
        if !(1..=INPUT_PX_MAX).contains(&width) || !(1..=INPUT_PX_MAX).contains(&height) {
            return Err(format!("size {width}x{height} is not within 1 to {INPUT_PX_MAX}"));
        }
        if !settings.std.iter().all(|std| std.is_normal() && *std > 0.0) {
            return Err("std is not above zero".to_owned());
        }
        let filter = match settings.interpolation.as_deref() {
            None | Some("bicubic") => Filter::Bicubic,
            Some("bilinear") => Filter::Bilinear,
            Some("lanczos") => Filter::Lanczos,
            Some("nearest") => Filter::Nearest,
            Some(other) => return Err(format!("interpolation {other:?} is not known")),
        };
        let fill = match settings.fill_color {
            Fill::Grey(value) => value,
            Fill::Colour([value, _, _]) => value,
        };
        let Settings { mean, std, resize_mode: mode, .. } = settings;
        Ok(Self { width, height, mean, std, filter, mode, fill })
    }

    /// The longer side of what is made, in pixels.
    pub(super) fn side_px(&self) -> u32 {
        self.width.max(self.height)
    }

    /// `[1, 3, height, width]`.
    pub(super) fn apply(&self, pixels: &Pixels) -> Result<Tensor, MlError> {
        let fitted = match self.mode {
            Mode::Squash => scale(pixels, self.width, self.height, self.filter)?,
            Mode::Shortest => self.shortest(pixels)?,
            Mode::Longest => self.longest(pixels)?,
        };
        Ok(planes(&fitted, self.mean, self.std))
    }

    /// As torchvision's `Resize` and `CenterCrop`.
    fn shortest(&self, pixels: &Pixels) -> Result<Pixels, MlError> {
        let (width, height) = (u64::from(pixels.width()), u64::from(pixels.height()));
        let (to_width, to_height) = (u64::from(self.width), u64::from(self.height));
        // The side that must grow more decides; the other is cut down, not rounded.
        let (width, height) = if to_width * height >= to_height * width {
            (to_width, to_width * height / width)
        } else {
            (to_height * width / height, to_height)
        };
        let side = |length: u64, least: u32| u32::try_from(length).unwrap_or(u32::MAX).max(least);
        let (width, height) = (side(width, self.width), side(height, self.height));
        if width.max(height) > BEFORE_CROP_PX_MAX {
            // A square becomes at most as large as an input, so this ends.
            return self.shortest(&middle(pixels));
        }
        let scaled = scale(pixels, width, height, self.filter)?;
        let start = |length: u32, part: u32| num::nearest(f64::from(length - part) / 2.0);
        let corner = (start(width, self.width), start(height, self.height));
        Ok(scaled.part(corner, (self.width, self.height)))
    }

    fn longest(&self, pixels: &Pixels) -> Result<Pixels, MlError> {
        let across = f64::from(self.width) / f64::from(pixels.width());
        let down = f64::from(self.height) / f64::from(pixels.height());
        let by = across.min(down);
        let side = |length: u32, most: u32| num::nearest(f64::from(length) * by).clamp(1, most);
        let (width, height) =
            (side(pixels.width(), self.width), side(pixels.height(), self.height));
        let scaled = scale(pixels, width, height, self.filter)?;
        let mut ground = Pixels::filled(self.width, self.height, self.fill);
        ground.lay(&scaled, ((self.width - width) / 2, (self.height - height) / 2));
        Ok(ground)
    }
}

/// The square in the middle of a picture that is many times longer than wide.
fn middle(pixels: &Pixels) -> Pixels {
    let side = pixels.width().min(pixels.height());
    let corner = ((pixels.width() - side) / 2, (pixels.height() - side) / 2);
    pixels.part(corner, (side, side))
}

/// Bytes as `(value / 255 - mean) / std`, all reds first, then greens, then blues.
pub(crate) fn planes(pixels: &Pixels, mean: [f32; 3], std: [f32; 3]) -> Tensor {
    let shape = vec![1, 3, num::index(pixels.height()), num::index(pixels.width())];
    // 256 different values: looking them up is faster than computing each.
    let known =
        |channel: usize| by_byte(|byte| (f32::from(byte) / 255.0 - mean[channel]) / std[channel]);
    Tensor { shape, values: pixels.planes(&[known(0), known(1), known(2)]) }
}

fn openai_mean() -> [f32; 3] {
    [0.481_454_66, 0.457_827_5, 0.408_210_73]
}

#[expect(clippy::excessive_precision, reason = "the numbers as they were published")]
fn openai_std() -> [f32; 3] {
    [0.268_629_54, 0.261_302_58, 0.275_777_11]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(mode: &str) -> Steps {
        let json = format!(
            r#"{{"size": [4, 4], "mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": "nearest",
                "resize_mode": "{mode}", "fill_color": 255}}"#
        );
        Steps::parse(json.as_bytes()).unwrap()
    }

    /// Reds count columns.
    fn columns(width: u32, height: u32) -> Pixels {
        let row = (0..width).flat_map(|x| [u8::try_from(x).unwrap(); 3]);
        let rgb = std::iter::repeat_n(row, num::index(height)).flatten().collect();
        Pixels::new(width, height, rgb).unwrap()
    }

    fn first_row(tensor: &Tensor) -> Vec<u8> {
        tensor.values[..4].iter().map(|value| num::byte(value * 255.0)).collect()
    }

    #[test]
    fn shapes_become_the_model_s_as_its_settings_say() {
        let wide = columns(8, 4);
        assert_eq!(first_row(&steps("shortest").apply(&wide).unwrap()), [2, 3, 4, 5]);
        let squashed = first_row(&steps("squash").apply(&wide).unwrap());
        assert!(squashed.is_sorted() && squashed[3] > 5, "{squashed:?}");
        assert_eq!(first_row(&steps("longest").apply(&wide).unwrap()), [255; 4]);
    }

    #[test]
    fn panorama_of_one_row_has_an_input() {
        let tensor = steps("shortest").apply(&columns(200, 1)).unwrap();
        assert_eq!(tensor.shape, [1, 3, 4, 4]);
        let long = Pixels::filled(16_384, 1, 7);
        assert_eq!(steps("shortest").apply(&long).unwrap().values.len(), 48);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for json in [
            "",
            "{}",
            r#"{"size": 0}"#,
            r#"{"size": 100000}"#,
            r#"{"size": 224, "std": [0, 1, 1]}"#,
            r#"{"size": 224, "interpolation": "magic"}"#,
            r#"{"size": 224, "resize_mode": "cut"}"#,
        ] {
            assert!(Steps::parse(json.as_bytes()).is_err(), "{json}");
        }
        let plain = Steps::parse(br#"{"size": 224}"#).unwrap();
        assert_eq!((plain.filter, plain.mode), (Filter::Bicubic, Mode::Shortest));
    }
}
