//! Where words are: the model says for each pixel how likely it lies on a word, and pixels become boxes
//! (differentiable binarization, arXiv 1911.08947).

use super::rectangle::Rectangle;
use super::{WORDS_MAX, regions};
use crate::clip::{Filter, scale};
use crate::error::MlError;
use crate::num;
use crate::pixels::Pixels;
use crate::session::{Input, Loaded, Tensor, is_real, takes_a_picture};

/// Sides are multiples of this, because the model halves them five times.
const STEP_PX: u32 = 32;
/// The longest side of an input: a panorama is looked at more coarsely. It bounds the memory of one look.
const LONG_SIDE_PX_MAX: u32 = 2_560;
/// The short sides that may be wished for.
const RESOLUTION_PX: (u32, u32) = (64, 2_048);
/// A region this thin is no word, in pixels of the input.
const THIN_PX: f32 = 3.0;
/// Nor is one this thin when it is grown.
const THIN_GROWN_PX: f32 = 5.0;
/// How far boxes grow: the model marks the middle of letters.
const GROWTH: f32 = 1.6;
/// Boxes whose upper left corners are this near are on one line, in pixels of the picture.
const LINE_PX: f32 = 10.0;

/// A box with words in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Region {
    /// Upper left, upper right, lower right, lower left, in pixels of the picture.
    pub(super) corners: [[f32; 2]; 4],
    /// The mean of what the model says inside.
    pub(super) score: f32,
}

/// Boxes line by line.
pub(super) fn regions(
    loaded: &mut Loaded,
    pixels: &Pixels,
    resolution: u32,
    min_score: f32,
) -> Result<Vec<Region>, MlError> {
    let (width, height) = sides(pixels, resolution);
    let scaled = scale(pixels, width, height, Filter::Lanczos)?;
    let answer = loaded.run(vec![Input::Real(blues_first(&scaled))])?;
    let wanted = num::index(width) * num::index(height);
    let map = answer.into_iter().next().filter(|it| it.values.len() == wanted);
    let Some(map) = map else { return Err(loaded.failed("it gave no number for each pixel")) };
    let map =
        regions::Map { width: num::index(width), height: num::index(height), values: &map.values };
    let across = num::side(pixels.width()) / num::side(width);
    let down = num::side(pixels.height()) / num::side(height);
    let mut found: Vec<Region> = regions::outlines(&map, WORDS_MAX)
        .into_iter()
        .filter_map(|outline| region(&map, &outline, min_score))
        .map(|it| Region { corners: it.corners.map(|[x, y]| [x * across, y * down]), ..it })
        .collect();
    found.sort_by(|one, other| {
        let line = |it: &Region| (it.corners[0][1] / LINE_PX).round_ties_even();
        let place = |it: &Region| it.corners[0][0];
        line(one).total_cmp(&line(other)).then(place(one).total_cmp(&place(other)))
    });
    Ok(found)
}

fn region(map: &regions::Map<'_>, outline: &[[f32; 2]], min_score: f32) -> Option<Region> {
    let tight = Rectangle::around(outline)?;
    if tight.short_side() < THIN_PX {
        return None;
    }
    let score = map.mean_inside(&tight.corners());
    if score < min_score {
        return None;
    }
    let (width, height) = tight.sides();
    let by = width * height * GROWTH / (2.0 * (width + height));
    let grown = tight.grown(by);
    (grown.short_side() >= THIN_GROWN_PX)
        .then(|| Region { corners: grown.corners_in_order(), score })
}

/// Width and height of the input: the short side as wished, the long one as long as may be.
fn sides(pixels: &Pixels, resolution: u32) -> (u32, u32) {
    let resolution = f64::from(resolution.clamp(RESOLUTION_PX.0, RESOLUTION_PX.1));
    let (width, height) = (f64::from(pixels.width()), f64::from(pixels.height()));
    let by = (resolution / width.min(height)).min(f64::from(LONG_SIDE_PX_MAX) / width.max(height));
    let side = |length: f64| {
        let steps = num::nearest((length * by).floor() / f64::from(STEP_PX));
        steps.saturating_mul(STEP_PX).clamp(STEP_PX, LONG_SIDE_PX_MAX)
    };
    (side(width), side(height))
}

/// `value / 127.5 - 1`, all blues first, then greens, then reds.
pub(super) fn blues_first(pixels: &Pixels) -> Tensor {
    let (width, height) = (num::index(pixels.width()), num::index(pixels.height()));
    let known: Vec<f32> = (0..=u8::MAX).map(|it| (f32::from(it) / 255.0 - 0.5) / 0.5).collect();
    let mut values = Vec::with_capacity(width * height * 3);
    for channel in (0..3).rev() {
        let bytes = pixels.rgb().iter().skip(channel).step_by(3);
        values.extend(bytes.map(|byte| known[usize::from(*byte)]));
    }
    Tensor { shape: vec![1, 3, height, width], values }
}

pub(super) fn check(loaded: &Loaded) -> Result<(), String> {
    takes_a_picture(loaded)?;
    let takes_any = loaded.inputs[0].shape[2..].iter().all(|side| *side < 0);
    match loaded.outputs.as_slice() {
        [port] if takes_any && is_real(port, 4) => Ok(()),
        ports => Err(format!("it does not give a map of pictures of any size: {ports:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_whole_steps_and_have_a_limit() {
        let sides = |width, height, wish| sides(&Pixels::filled(width, height, 0), wish);
        assert_eq!(sides(1_440, 960, 736), (1_088, 736));
        assert_eq!(sides(100, 100, 736), (736, 736));
        assert_eq!(sides(10_000, 500, 736), (2_560, 128));
        assert_eq!(sides(16_000, 1, 736), (2_560, 32));
        assert_eq!(sides(1_000, 1_000, 1_000_000), (2_048, 2_048));
    }
}
