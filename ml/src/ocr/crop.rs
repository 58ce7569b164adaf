//! A line of text, cut out of the picture and laid level.

use crate::num;
use crate::pixels::Pixels;

/// A line this many times taller than wide stands on its side.
const TALL: f32 = 1.5;
/// The sides that a line may have, in pixels; longer ones are cut out more coarsely.
const SIDE_PX_MAX: f32 = 8_192.0;
/// OpenCV's bicubic filter.
const SHARPNESS: f32 = -0.75;

/// What lies inside four corners: upper left, upper right, lower right, lower left. `None` where that is
/// nothing.
pub(super) fn cut_out(pixels: &Pixels, corners: &[[f32; 2]; 4]) -> Option<Pixels> {
    let [upper_left, upper_right, lower_right, lower_left] = *corners;
    let width = far(upper_left, upper_right).max(far(lower_left, lower_right)).floor();
    let height = far(upper_left, lower_left).max(far(upper_right, lower_right)).floor();
    if width < 2.0 || height < 2.0 {
        return None;
    }
    let (columns, rows) = (num::floor(width.min(SIDE_PX_MAX)), num::floor(height.min(SIDE_PX_MAX)));
    let mut line = Pixels::filled(num::pixels(columns), num::pixels(rows), 0);
    // The box is a rectangle that was scaled: two directions tell where each pixel comes from.
    let step = |to: [f32; 2], count: usize| {
        [0, 1].map(|axis| (to[axis] - upper_left[axis]) / num::real(count))
    };
    let (across, down) = (step(upper_right, columns), step(lower_left, rows));
    let mut places =
        (0..rows).flat_map(|y| (0..columns).map(move |x| (num::real(x), num::real(y))));
    for to in line.rgb_mut().chunks_exact_mut(3) {
        let Some((x, y)) = places.next() else { break };
        let place = [0, 1].map(|axis| upper_left[axis] + across[axis] * x + down[axis] * y);
        to.copy_from_slice(&bicubic(pixels, place));
    }
    Some(if height / width >= TALL { line.turned() } else { line })
}

fn far(from: [f32; 2], to: [f32; 2]) -> f32 {
    (to[0] - from[0]).hypot(to[1] - from[1])
}

/// Sixteen pixels mixed; edges repeat.
fn bicubic(pixels: &Pixels, [x, y]: [f32; 2]) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (of_columns, of_rows) = (weights(x - left), weights(y - top));
    let last = (num::side(pixels.width()) - 1.0, num::side(pixels.height()) - 1.0);
    let mut sums = [0.0_f32; 3];
    for (row, of_row) in (-1_i8..).zip(of_rows) {
        let row = num::floor((top + f32::from(row)).clamp(0.0, last.1)) * pixels.pitch();
        for (column, of_column) in (-1_i8..).zip(of_columns) {
            let column = num::floor((left + f32::from(column)).clamp(0.0, last.0)) * 3;
            let bytes = &pixels.rgb()[row + column..row + column + 3];
            for (sum, byte) in sums.iter_mut().zip(bytes) {
                *sum += of_row * of_column * f32::from(*byte);
            }
        }
    }
    sums.map(num::byte)
}

/// How much each of four pixels counts, the place lying `part` behind the second (Keys, 1981).
fn weights(part: f32) -> [f32; 4] {
    let a = SHARPNESS;
    let near = |d: f32| ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    let wide = |d: f32| ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a;
    [wide(part + 1.0), near(part), near(1.0 - part), wide(2.0 - part)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered() -> Pixels {
        let rgb = (0..=99_u8).flat_map(|it| [it; 3]).collect();
        Pixels::new(10, 10, rgb).unwrap()
    }

    fn reds(pixels: &Pixels) -> Vec<u8> {
        pixels.rgb().iter().step_by(3).copied().collect()
    }

    #[test]
    fn level_box_is_cut_out_unchanged() {
        let corners = [[2.0, 3.0], [5.0, 3.0], [5.0, 5.0], [2.0, 5.0]];
        let line = cut_out(&numbered(), &corners).unwrap();
        assert_eq!(reds(&line), [32, 33, 34, 42, 43, 44]);
    }

    #[test]
    fn line_that_stands_is_laid_down() {
        let corners = [[2.0, 3.0], [4.0, 3.0], [4.0, 6.0], [2.0, 6.0]];
        let line = cut_out(&numbered(), &corners).unwrap();
        assert_eq!((line.width(), line.height()), (3, 2));
        assert_eq!(reds(&line), [33, 43, 53, 32, 42, 52]);
    }

    #[test]
    fn box_beyond_the_edge_repeats_the_edge() {
        let corners = [[-3.0, -3.0], [0.0, -3.0], [0.0, 0.0], [-3.0, 0.0]];
        assert_eq!(reds(&cut_out(&numbered(), &corners).unwrap()), [0; 9]);
        assert_eq!(cut_out(&numbered(), &[[1.0, 1.0]; 4]), None);
    }

    #[test]
    fn weights_are_one_together() {
        for part in [0.0, 0.25, 0.5, 0.99] {
            assert!((weights(part).iter().sum::<f32>() - 1.0).abs() < 1e-5, "{part}");
        }
    }
}
