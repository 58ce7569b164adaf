//! Binary PPM with 8 bits, the plainest way in which ffmpeg hands over a frame.

use super::{
    check_size,
    raster::{Layout, Raster},
};
use crate::decoder::DecodeError;

/// Longest header, in bytes: `P6\n65535 65535\n255\n` needs 20.
const HEADER_BYTES_MAX: usize = 64;

pub(super) fn decode(bytes: &[u8]) -> Result<Raster, DecodeError> {
    let bad = || DecodeError::corrupt("frame of the film is not a PPM picture");
    let mut words = Vec::with_capacity(4);
    let mut start = 0;
    for (i, byte) in bytes.iter().take(HEADER_BYTES_MAX).enumerate() {
        if byte.is_ascii_whitespace() {
            words.push(bytes.get(start..i).ok_or_else(bad)?);
            start = i + 1;
        }
        if words.len() == 4 {
            break;
        }
    }
    let [magic, width, height, maximum] = words.as_slice() else {
        return Err(bad());
    };
    if *magic != b"P6" || *maximum != b"255" {
        return Err(bad());
    }
    let (width, height) = (number(width).ok_or_else(bad)?, number(height).ok_or_else(bad)?);
    check_size(width, height, 3)?;
    let length = usize::try_from(u64::from(width) * u64::from(height) * 3).map_err(|_| bad())?;
    let data = bytes.get(start..start + length).ok_or_else(bad)?;
    Raster::from_data(width, height, Layout::Rgb, data.to_vec())
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read() {
        let raster = decode(b"P6\n2 1\n255\nabcdef").unwrap();
        assert_eq!((raster.width, raster.height, raster.data.as_slice()), (2, 1, &b"abcdef"[..]));
    }

    #[test]
    fn a_short_frame_is_refused() {
        assert!(decode(b"P6\n2 1\n255\nabcde").is_err());
        assert!(decode(b"P6\n99999999 99999999\n255\n").is_err());
        assert!(decode(b"").is_err());
    }
}
