//! A face turned and scaled so that eyes, nose and mouth lie where recognition was trained to have them.
//!
//! The similarity that moves five points onto five others with the least squares (Umeyama, 1991) has a closed
//! form in the plane: with points as complex numbers it is one division.

use crate::num;
use crate::pixels::Pixels;

/// Where `ArcFace` has eyes, nose and corners of the mouth in 112 by 112 pixels.
const PLACES: [[f64; 2]; 5] = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];
/// The side that these are for.
const PLACES_PX: f64 = 112.0;

/// A turn with a scale, and a shift: `x' = a x - b y + c`, `y' = b x + a y + d`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Similarity {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
}

impl Similarity {
    /// What moves `from` onto `to` best. Points that are all one have none, and stay where they are.
    fn between(from: &[[f64; 2]; 5], to: &[[f64; 2]; 5]) -> Self {
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let [x, y] = [from[0] - from_mean[0], from[1] - from_mean[1]];
            let [u, v] = [to[0] - to_mean[0], to[1] - to_mean[1]];
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        let (a, b) = if spread > 0.0 { (along / spread, across / spread) } else { (1.0, 0.0) };
        let c = to_mean[0] - a * from_mean[0] + b * from_mean[1];
        let d = to_mean[1] - b * from_mean[0] - a * from_mean[1];
        Self { a, b, c, d }
    }

    fn apply(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.c, self.b * x + self.a * y + self.d]
    }
}

/// The face with these landmarks, upright in a square of `side` pixels. What lies outside of the picture is
/// black.
pub(super) fn crop(pixels: &Pixels, landmarks: &[[f32; 2]; 5], side: u32) -> Pixels {
    let scale = f64::from(side) / PLACES_PX;
    let places = PLACES.map(|place| place.map(|it| it * scale));
    let marks = landmarks.map(|mark| mark.map(f64::from));
    // Straight from the square to the picture, because each pixel of the square asks where it comes from.
    let back = inverse(Similarity::between(&marks, &places));
    let mut crop = Pixels::filled(side, side, 0);
    let mut places = (0..side).flat_map(|y| (0..side).map(move |x| [f64::from(x), f64::from(y)]));
    for to in crop.rgb_mut().chunks_exact_mut(3) {
        let Some(place) = places.next() else { break };
        to.copy_from_slice(&sample(pixels, back.apply(place)));
    }
    crop
}

fn inverse(it: Similarity) -> Similarity {
    let size = it.a * it.a + it.b * it.b;
    let (a, b) = if size > 0.0 { (it.a / size, -it.b / size) } else { (1.0, 0.0) };
    Similarity { a, b, c: -(a * it.c - b * it.d), d: -(b * it.c + a * it.d) }
}

/// Four pixels mixed; those outside are black.
fn sample(pixels: &Pixels, [x, y]: [f64; 2]) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (x - left, y - top);
    let mut sums = [0.0; 3];
    for (row, of_row) in [(top, 1.0 - down), (top + 1.0, down)] {
        for (column, of_column) in [(left, 1.0 - across), (left + 1.0, across)] {
            let is_inside = column >= 0.0
                && row >= 0.0
                && column < f64::from(pixels.width())
                && row < f64::from(pixels.height());
            if !is_inside {
                continue;
            }
            let at = num::index(num::nearest(row)) * pixels.pitch()
                + num::index(num::nearest(column)) * 3;
            for (sum, byte) in sums.iter_mut().zip(&pixels.rgb()[at..at + 3]) {
                *sum += of_row * of_column * f64::from(*byte);
            }
        }
    }
    sums.map(|sum| u8::try_from(num::nearest(sum)).unwrap_or(u8::MAX))
}

fn mean(points: &[[f64; 2]; 5]) -> [f64; 2] {
    [0, 1].map(|axis| points.iter().map(|it| it[axis]).sum::<f64>() / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_and_scaled_points_find_back() {
        let turn = Similarity { a: 0.3, b: -1.7, c: 12.0, d: 99.0 };
        let moved = PLACES.map(|it| turn.apply(it));
        let found = Similarity::between(&moved, &PLACES);
        for (place, moved) in PLACES.iter().zip(moved) {
            let back = found.apply(moved);
            assert!((back[0] - place[0]).abs() < 1e-9 && (back[1] - place[1]).abs() < 1e-9);
            let there = inverse(found).apply(*place);
            assert!((there[0] - moved[0]).abs() < 1e-9 && (there[1] - moved[1]).abs() < 1e-9);
        }
    }

    #[test]
    fn points_that_are_all_one_still_give_a_crop() {
        let pixels = Pixels::filled(10, 10, 200);
        let crop = crop(&pixels, &[[5.0, 5.0]; 5], 112);
        assert_eq!((crop.width(), crop.height()), (112, 112));
    }

    #[test]
    fn face_that_lies_right_already_is_cut_out_unchanged() {
        let rgb = (0..112 * 112).flat_map(|it: u32| [u8::try_from(it % 251).unwrap(); 3]);
        let pixels = Pixels::new(112, 112, rgb.collect()).unwrap();
        let marks = PLACES.map(|it| it.map(|it| num_traits::ToPrimitive::to_f32(&it).unwrap()));
        let crop = crop(&pixels, &marks, 112);
        let far = crop.rgb().iter().zip(pixels.rgb()).map(|(one, other)| one.abs_diff(*other));
        assert!(far.max().unwrap() <= 1);
    }
}
