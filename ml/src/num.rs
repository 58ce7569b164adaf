//! Whole numbers and real ones, one into the other. What does not fit becomes the nearest that does.

use num_traits::ToPrimitive;

/// A count or a coordinate as a real number; exact below 2^24.
pub(crate) fn real(whole: usize) -> f32 {
    whole.to_f32().unwrap_or(f32::MAX)
}

/// A side in pixels as a real number.
pub(crate) fn side(pixels: u32) -> f32 {
    pixels.to_f32().unwrap_or(f32::MAX)
}

/// The whole number at or below; what is negative or no number is 0.
pub(crate) fn floor(value: f32) -> usize {
    value.max(0.0).to_usize().unwrap_or(if value > 0.0 { usize::MAX } else { 0 })
}

/// The nearest whole number, halves to the even one as Python rounds.
pub(crate) fn nearest(value: f64) -> u32 {
    value.round_ties_even().max(0.0).to_u32().unwrap_or(if value > 0.0 { u32::MAX } else { 0 })
}

/// A byte from a real number: the nearest, between 0 and 255.
pub(crate) fn byte(value: f32) -> u8 {
    // Cut off behind the half: rounding is a call into the C library for each pixel.
    (value.clamp(0.0, 255.0) + 0.5).to_u8().unwrap_or(0)
}

/// A length or a coordinate as an index.
pub(crate) fn index(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(usize::MAX)
}

/// A length that is known to fit a picture's side.
pub(crate) fn pixels(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_number() {
        assert_eq!([0.5, 1.5, 2.5, -1.0, f64::NAN].map(nearest), [0, 2, 2, 0, 0]);
    }

    #[test]
    fn what_does_not_fit_is_the_nearest() {
        assert_eq!([-0.5, 0.0, 1.99, f32::NAN].map(floor), [0, 0, 1, 0]);
        assert_eq!([-3.0, 0.49, 254.5, 300.0, f32::NAN].map(byte), [0, 0, 255, 255, 0]);
    }
}
