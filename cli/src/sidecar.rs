//! The text of an XMP file beside a photo.

use anyhow::Context as _;

use crate::content::Content;
use crate::reader;

/// The largest sidecar that is sent, in bytes.
const SIDECAR_BYTES_MAX: usize = 1024 * 1024;

/// The text of a sidecar, whatever it is encoded in: XMP files of some programs are UTF-16.
///
/// # Errors
/// When it cannot be read, or is too large.
pub(crate) async fn of(content: &Content) -> anyhow::Result<String> {
    let bytes = reader::whole(content, SIDECAR_BYTES_MAX).await;
    Ok(text(&bytes.context("failed to read its sidecar")?))
}

/// What bytes in UTF-8 or UTF-16 say.
pub(crate) fn text(bytes: &[u8]) -> String {
    let units = |to_unit: fn([u8; 2]) -> u16| -> String {
        let pairs = bytes.get(2..).unwrap_or_default().chunks_exact(2);
        let units = pairs.filter_map(|pair| Some(to_unit([*pair.first()?, *pair.get(1)?])));
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).replace('\0', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_of_all_encodings_become_text() {
        assert_eq!(text("<é/>".as_bytes()), "<é/>");
        let units: Vec<u16> = "<é/>".encode_utf16().collect();
        let mut little = vec![0xFF, 0xFE];
        little.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        assert_eq!(text(&little), "<é/>");
        let mut big = vec![0xFE, 0xFF];
        big.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
        assert_eq!(text(&big), "<é/>");
    }
}
