//! Which model said something, and the vectors that models say, as attachments of events hold them.

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most numbers of a vector.
pub const DIMS_MAX: usize = 4_096;
/// Bytes of a number in an attachment.
const NUMBER_BYTES: usize = 2;
/// Under which the ids of models are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x3c1d_0e6a_58f4_5d0b_9d2e_6b7a_4f10_c2e7);

/// Which model said something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ModelRef {
    /// Its name.
    pub name: String,
    /// Its revision, as its maker names it.
    pub revision: String,
    /// SHA-256 of its file, lower-case hex.
    pub sha256: String,
}

impl ModelRef {
    /// An id of name, revision and file: only vectors of the same id can be compared.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let Self { name, revision, sha256 } = self;
        Uuid::new_v5(&NAMESPACE, format!("{name}\0{revision}\0{sha256}").as_bytes())
    }
}

/// Why numbers are no vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// There are none or too many.
    #[error("a vector has 1 to {DIMS_MAX} numbers, not {0}")]
    Dims(usize),
    /// One is infinite or no number, or all are zero.
    #[error("the numbers of a vector have no direction")]
    NoDirection,
}

/// A vector at unit length as an attachment holds it: f16, little-endian.
///
/// # Errors
/// [`VectorError`].
pub fn pack(values: &[f32]) -> Result<Vec<u8>, VectorError> {
    if !(1..=DIMS_MAX).contains(&values.len()) {
        return Err(VectorError::Dims(values.len()));
    }
    let length = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if !length.is_normal() {
        return Err(VectorError::NoDirection);
    }
    let bytes =
        values.iter().flat_map(|value| f16::from_f64(f64::from(*value) / length).to_le_bytes());
    Ok(bytes.collect())
}

/// The vector in an attachment; nothing where the bytes are none.
#[must_use]
pub fn unpack(bytes: &[u8]) -> Option<Vec<f32>> {
    let dims = bytes.len() / NUMBER_BYTES;
    if !bytes.len().is_multiple_of(NUMBER_BYTES) || !(1..=DIMS_MAX).contains(&dims) {
        return None;
    }
    let (numbers, _) = bytes.as_chunks::<NUMBER_BYTES>();
    let halves: Vec<f16> = numbers.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect();
    let values = halves.to_f32_vec();
    values.iter().all(|value| value.is_finite()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_comes_back_at_unit_length() {
        let bytes = pack(&[3.0, 0.0, -4.0]).unwrap();
        assert_eq!(bytes.len(), 6);
        let values = unpack(&bytes).unwrap();
        for (value, wanted) in values.iter().zip([0.6, 0.0, -0.8]) {
            assert!((value - wanted).abs() < 1e-3, "{values:?}");
        }
    }

    #[test]
    fn what_has_no_direction_is_no_vector() {
        assert_eq!(pack(&[]), Err(VectorError::Dims(0)));
        assert_eq!(pack(&vec![1.0; DIMS_MAX + 1]), Err(VectorError::Dims(DIMS_MAX + 1)));
        assert_eq!(pack(&[0.0, 0.0]), Err(VectorError::NoDirection));
        assert_eq!(pack(&[1.0, f32::NAN]), Err(VectorError::NoDirection));
        assert_eq!(pack(&[f32::INFINITY]), Err(VectorError::NoDirection));
    }

    #[test]
    fn bytes_that_are_no_vector_are_refused() {
        assert_eq!(unpack(&[]), None);
        assert_eq!(unpack(&[0; 3]), None);
        assert_eq!(unpack(&f16::NAN.to_le_bytes()), None);
    }

    #[test]
    fn another_file_is_another_model() {
        let model = |sha256: &str| ModelRef {
            name: "conse".into(),
            revision: "1".into(),
            sha256: sha256.into(),
        };
        assert_eq!(model("a").id(), model("a").id());
        assert_ne!(model("a").id(), model("b").id());
    }
}
