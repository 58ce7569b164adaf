//! A picture made to fit a detector's square, in its upper left corner, and bytes as numbers round zero.
//!
//! Detectors of this family were made with OpenCV's plain bilinear filter, which looks at four pixels however
//! much smaller the picture becomes. So does this: boxes and scores stay comparable.

use crate::num;
use crate::pixels::{Pixels, by_byte};
use crate::session::{Port, Tensor};

/// Side where the model takes any, in pixels.
const SIDE_PX: u32 = 640;
/// The longest side that a model may want.
const SIDE_PX_MAX: i64 = 2_048;

/// Width and height of a detector's input.
pub(super) fn sides(port: &Port) -> (u32, u32) {
    let side = |at: usize| match port.shape.get(at) {
        Some(side) if (32..=SIDE_PX_MAX).contains(side) && side % 32 == 0 => {
            u32::try_from(*side).unwrap_or(SIDE_PX)
        }
        _ => SIDE_PX,
    };
    (side(3), side(2))
}

/// The input, and how many times larger the picture is in it.
pub(super) fn letterbox(pixels: &Pixels, (width, height): (u32, u32)) -> (Tensor, f32) {
    let (from_width, from_height) = (f64::from(pixels.width()), f64::from(pixels.height()));
    // As the reference: the long side fits, the other is cut down to a whole pixel.
    let is_tall = from_height / from_width > f64::from(height) / f64::from(width);
    let down = |length: f64| num::nearest(length.floor()).max(1);
    let (to_width, to_height) = if is_tall {
        (down(f64::from(height) / (from_height / from_width)).min(width), height)
    } else {
        (width, down(f64::from(width) * (from_height / from_width)).min(height))
    };
    let mut ground = Pixels::filled(width, height, 0);
    ground.lay(&bilinear(pixels, to_width, to_height), (0, 0));
    (centred(&ground, 128.0), num::side(to_height) / num::side(pixels.height()))
}

/// `(value - 127.5) / by`, all reds first, then greens, then blues.
pub(super) fn centred(pixels: &Pixels, by: f32) -> Tensor {
    let shape = vec![1, 3, num::index(pixels.height()), num::index(pixels.width())];
    let known = by_byte(|byte| (f32::from(byte) - 127.5) / by);
    Tensor { shape, values: pixels.planes(&[known; 3]) }
}

/// OpenCV's `INTER_LINEAR`: pixel centres are mapped, edges repeat, nothing is averaged.
pub(crate) fn bilinear(pixels: &Pixels, width: u32, height: u32) -> Pixels {
    let columns = taps(pixels.width(), width);
    let rows = taps(pixels.height(), height);
    let pitch = pixels.pitch();
    let from = pixels.rgb();
    let mut scaled = Pixels::filled(width, height, 0);
    let to_pitch = scaled.pitch();
    let mut mixed = vec![0.0; pitch];
    for (to, (top, bottom, down)) in scaled.rgb_mut().chunks_exact_mut(to_pitch).zip(rows) {
        // Of whole rows the compiler does many at once; across there is less left to do.
        let (above, below) = (&from[top * pitch..][..pitch], &from[bottom * pitch..][..pitch]);
        for (mixed, (above, below)) in mixed.iter_mut().zip(above.iter().zip(below)) {
            let (above, below) = (f32::from(*above), f32::from(*below));
            *mixed = above + (below - above) * down;
        }
        let (mixed, _) = mixed.as_chunks::<3>();
        for (to, (left, right, across)) in to.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
            let (left, right) = (&mixed[*left], &mixed[*right]);
            for (to, (left, right)) in to.iter_mut().zip(left.iter().zip(right)) {
                *to = between(left + (right - left) * across);
            }
        }
    }
    scaled
}

/// The nearest byte to a number between two bytes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 255, and cut off behind the half; anything else is checked for each pixel"
)]
fn between(value: f32) -> u8 {
    (value + 0.5) as u8
}

/// For each pixel of the new side the two of the old one, and how much of the second.
fn taps(from: u32, to: u32) -> Vec<(usize, usize, f32)> {
    let by = f64::from(from) / f64::from(to);
    let last = num::index(from) - 1;
    let tap = |at: u32| {
        let place = ((f64::from(at) + 0.5) * by - 0.5).max(0.0);
        let first = num::index(num::nearest(place.floor())).min(last);
        let part = place - f64::from(num::pixels(first));
        let part = num_traits::ToPrimitive::to_f32(&part.min(1.0)).unwrap_or(0.0);
        (first, (first + 1).min(last), part)
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greys(width: u32, height: u32, values: &[u8]) -> Pixels {
        let rgb = values.iter().flat_map(|it| [*it; 3]).collect();
        Pixels::new(width, height, rgb).unwrap()
    }

    fn reds(pixels: &Pixels) -> Vec<u8> {
        pixels.rgb().iter().step_by(3).copied().collect()
    }

    #[test]
    fn pixels_are_mixed_as_opencv_mixes_them() {
        // cv2.resize(np.uint8([[0, 100]]), (4, 1)) is [[0, 25, 75, 100]].
        assert_eq!(reds(&bilinear(&greys(2, 1, &[0, 100]), 4, 1)), [0, 25, 75, 100]);
        // Smaller by four: only the two in the middle count.
        assert_eq!(reds(&bilinear(&greys(4, 1, &[255, 10, 30, 255]), 1, 1)), [20]);
    }

    #[test]
    fn long_side_fits_and_the_rest_is_black() {
        let (tensor, scale) = letterbox(&greys(2, 4, &[255; 8]), (640, 640));
        assert!((scale - 160.0).abs() < 1e-6);
        let row = &tensor.values[..640];
        assert!(row[..320].iter().all(|it| (it - 0.996).abs() < 1e-3), "{:?}", row[0]);
        assert!(row[320..].iter().all(|it| (it + 0.996).abs() < 1e-3), "{:?}", row[639]);
    }

    #[test]
    fn one_row_of_pixels_still_has_a_pixel() {
        let (tensor, scale) = letterbox(&greys(2_000, 1, &[9; 2_000]), (640, 640));
        assert_eq!(tensor.shape, [1, 3, 640, 640]);
        assert!(scale.is_finite() && scale > 0.0);
    }
}
