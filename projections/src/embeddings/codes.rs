//! Vectors as one byte a number: each with its own scale, so that its largest number becomes 127.
//!
//! At 512 numbers the product of two such vectors differs from that of the vectors by about 0.0006 (standard
//! deviation, unit length), which is why the best are compared again with the numbers that the log keeps.

use numkong::Dot as _;

/// The largest code.
const CODE_MAX: f32 = 127.0;

/// A vector as codes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Codes {
    /// One for each number, -127 to 127.
    pub codes: Vec<i8>,
    /// What a code stands for: the number is the code times this.
    pub scale: f32,
}

impl Codes {
    /// The codes of a vector of finite numbers.
    #[must_use]
    pub fn of(values: &[f32]) -> Self {
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        if largest <= 0.0 {
            return Self { codes: vec![0; values.len()], scale: 0.0 };
        }
        let scale = largest / CODE_MAX;
        Self { codes: values.iter().map(|value| code(value / scale)).collect(), scale }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded, and held within -127 to 127")]
fn code(value: f32) -> i8 {
    value.round().clamp(-CODE_MAX, CODE_MAX) as i8
}

/// How near a vector is to the one that is asked for, but for the latter's scale, which is the same for all.
pub(crate) fn nearness(asked: &[i8], codes: &[i8], scale: f32) -> f64 {
    // Vectors of one model are of one length.
    f64::from(i8::dot(asked, codes).unwrap_or(i32::MIN)) * f64::from(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_for_the_numbers() {
        let values = [0.5, -0.25, 0.0, 0.1];
        let coded = Codes::of(&values);
        assert_eq!(coded.codes, [127, -64, 0, 25]);
        for (code, value) in coded.codes.iter().zip(values) {
            assert!((f32::from(*code) * coded.scale - value).abs() <= coded.scale / 2.0 + 1e-6);
        }
        assert_eq!(Codes::of(&[0.0; 3]), Codes { codes: vec![0; 3], scale: 0.0 });
    }

    #[test]
    fn nearness_is_the_product() {
        let (one, other) = (Codes::of(&[0.6, 0.8]), Codes::of(&[0.8, -0.6]));
        let product =
            |other: &Codes| nearness(&one.codes, &other.codes, other.scale) * f64::from(one.scale);
        assert!((product(&one) - 1.0).abs() < 0.01);
        assert!(product(&other).abs() < 0.01);
    }
}
