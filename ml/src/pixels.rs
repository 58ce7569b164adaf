//! A decoded picture as models take it.

use crate::error::MlError;
use crate::num;

/// The longest side that is taken, in pixels. Whoever decodes makes larger pictures smaller.
const SIDE_PX_MAX: u32 = 16_384;
/// The most pixels, so that one picture takes at most 300 MB.
const PIXELS_MAX: u64 = 100_000_000;

/// Rows of red, green and blue from the top, one byte each, upright and in sRGB.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Pixels {
    /// Takes `rgb`, which must have three bytes for each pixel.
    ///
    /// # Errors
    /// `BadPixels`: no pixels, too many, or another number of bytes.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, MlError> {
        let refuse = |reason: String| Err(MlError::BadPixels { reason });
        let count = u64::from(width) * u64::from(height);
        if count == 0 {
            return refuse("it has no pixels".to_owned());
        }
        if width.max(height) > SIDE_PX_MAX || count > PIXELS_MAX {
            return refuse(format!("{width}x{height} pixels are too many"));
        }
        if u64::try_from(rgb.len()) != Ok(count * 3) {
            return refuse(format!("{} bytes are not {width}x{height} pixels", rgb.len()));
        }
        Ok(Self { width, height, rgb })
    }

    /// A picture of one colour, to lay others on.
    pub(crate) fn filled(width: u32, height: u32, value: u8) -> Self {
        let bytes = num::index(width) * num::index(height) * 3;
        Self { width, height, rgb: vec![value; bytes] }
    }

    /// Pixels from left to right.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    pub(crate) fn rgb_mut(&mut self) -> &mut [u8] {
        &mut self.rgb
    }

    /// Bytes of one row.
    pub(crate) fn pitch(&self) -> usize {
        num::index(self.width) * 3
    }

    /// Lays another picture on this one with its upper left corner at `(x, y)`; what hangs over is cut off.
    pub(crate) fn lay(&mut self, other: &Self, (x, y): (u32, u32)) {
        let (to_pitch, from_pitch) = (self.pitch(), other.pitch());
        let start = (num::index(x) * 3).min(to_pitch);
        let bytes = from_pitch.min(to_pitch - start);
        let rows = self.rgb.chunks_exact_mut(to_pitch).skip(num::index(y));
        for (to, from) in rows.zip(other.rgb.chunks_exact(from_pitch)) {
            to[start..start + bytes].copy_from_slice(&from[..bytes]);
        }
    }

    /// A part of the picture; what lies outside is cut off.
    pub(crate) fn part(&self, (x, y): (u32, u32), (width, height): (u32, u32)) -> Self {
        let width = width.min(self.width.saturating_sub(x));
        let height = height.min(self.height.saturating_sub(y));
        let (start, bytes) = (num::index(x) * 3, num::index(width) * 3);
        let rows = self.rgb.chunks_exact(self.pitch()).skip(num::index(y)).take(num::index(height));
        let rgb = rows.flat_map(|row| row[start..start + bytes].iter().copied()).collect();
        Self { width, height, rgb }
    }

    /// Numbers for its bytes, all reds first, then greens, then blues: for each colour what its 256 values become.
    pub(crate) fn planes(&self, [reds, greens, blues]: &[[f32; 256]; 3]) -> Vec<f32> {
        let count = self.rgb.len() / 3;
        let mut values = vec![0.0; count * 3];
        let (to_reds, rest) = values.split_at_mut(count);
        let (to_greens, to_blues) = rest.split_at_mut(count);
        let places = to_reds.iter_mut().zip(to_greens).zip(to_blues);
        // Once over the picture: three times over it, every third byte, takes twice as long.
        for (rgb, ((red, green), blue)) in self.rgb.as_chunks::<3>().0.iter().zip(places) {
            *red = reds[usize::from(rgb[0])];
            *green = greens[usize::from(rgb[1])];
            *blue = blues[usize::from(rgb[2])];
        }
        values
    }

    /// A quarter turn against the clock.
    pub(crate) fn turned(&self) -> Self {
        let (width, height) = (num::index(self.width), num::index(self.height));
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for x in (0..width).rev() {
            for y in 0..height {
                let at = (y * width + x) * 3;
                rgb.extend_from_slice(&self.rgb[at..at + 3]);
            }
        }
        Self { width: self.height, height: self.width, rgb }
    }
}

/// What each of the 256 values of a byte becomes.
pub(crate) fn by_byte(number: impl Fn(u8) -> f32) -> [f32; 256] {
    let mut known = [0.0; 256];
    for (byte, to) in (0..=u8::MAX).zip(&mut known) {
        *to = number(byte);
    }
    known
}

impl std::fmt::Debug for Pixels {
    /// Without the bytes, which would flood a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Pixels({}x{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: u32, height: u32) -> Pixels {
        let count = u8::try_from(width * height).unwrap();
        Pixels::new(width, height, (0..count).flat_map(|it| [it; 3]).collect()).unwrap()
    }

    fn reds(pixels: &Pixels) -> Vec<u8> {
        pixels.rgb().iter().step_by(3).copied().collect()
    }

    #[test]
    fn wrong_numbers_of_bytes_are_refused() {
        for (width, height, bytes) in [(0, 1, 0), (2, 2, 11), (2, 2, 13), (16_385, 1, 49_155)] {
            assert!(Pixels::new(width, height, vec![0; bytes]).is_err(), "{width}x{height}");
        }
    }

    #[test]
    fn parts_and_turns_keep_their_pixels() {
        let pixels = numbered(3, 2);
        assert_eq!(reds(&pixels.part((1, 0), (2, 2))), [1, 2, 4, 5]);
        assert_eq!(reds(&pixels.part((2, 1), (9, 9))), [5]);
        let turned = pixels.turned();
        assert_eq!((turned.width(), turned.height()), (2, 3));
        assert_eq!(reds(&turned), [2, 5, 1, 4, 0, 3]);
    }

    #[test]
    fn what_is_laid_over_the_edge_is_cut_off() {
        let mut ground = Pixels::filled(3, 3, 9);
        ground.lay(&numbered(2, 2), (2, 2));
        assert_eq!(reds(&ground), [9, 9, 9, 9, 9, 9, 9, 9, 0]);
    }
}
