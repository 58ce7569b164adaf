//! What an XMP packet says of the sphere that its picture is a part of.

use super::xmp::Xmp;

/// Longest name of a projection, in bytes; known ones have 15.
const PROJECTION_BYTES_MAX: usize = 32;

/// Properties of Google's Photo Sphere metadata.
#[derive(Debug)]
pub(crate) struct PanoramaWords {
    xmp: Xmp,
    projection: String,
}

impl PanoramaWords {
    /// Reads a packet; `None` where it names no projection.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let xmp = Xmp::read(packet);
        let projection = xmp.get("GPano:ProjectionType")?.trim().to_owned();
        let is_name = !projection.is_empty()
            && projection.len() <= PROJECTION_BYTES_MAX
            && projection.bytes().all(|it| it.is_ascii_alphanumeric());
        is_name.then_some(Self { xmp, projection })
    }

    /// The projection's name: letters and digits alone.
    pub(crate) fn projection(&self) -> &str {
        &self.projection
    }

    /// A property that is a number, by its name without a prefix.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let number: f64 = self.xmp.get(&format!("GPano:{name}"))?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    }
}
