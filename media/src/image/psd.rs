//! The flattened picture at the end of a Photoshop file (PSD, PSB). Layers are not looked at:
//! what Photoshop saw when it saved is there, unless "maximize compatibility" was off.
//!
//! Source: Adobe Photoshop File Formats Specification (2019), "File header section" and
//! "Image data section".

use super::{
    Decoded, Orientation, check_size,
    raster::{Layout, Raster},
};
use crate::decoder::DecodeError;

/// Channels that are read: four inks and their cover.
const CHANNELS_MAX: usize = 5;

/// Length of the header, in bytes.
const HEADER_BYTES: usize = 26;

/// Values of the header's colour mode.
const MODE_GREY: u16 = 1;
const MODE_INDEXED: u16 = 2;
const MODE_RGB: u16 = 3;
const MODE_CMYK: u16 = 4;
const MODE_DUOTONE: u16 = 8;

/// What the header says.
struct Header {
    is_big: bool,
    channels: usize,
    width: u32,
    height: u32,
    depth: u16,
    mode: u16,
}

/// Decodes the flattened picture. The profile lies among the file's resources.
pub(super) fn decode(
    bytes: &[u8],
    orientation: Orientation,
    icc: Option<Vec<u8>>,
) -> Result<Decoded, DecodeError> {
    let header = header(bytes)?;
    let (palette, data, has_alpha) = sections(bytes, &header).ok_or_else(|| damaged("sections"))?;
    let inks = match header.mode {
        MODE_GREY | MODE_DUOTONE | MODE_INDEXED => 1,
        MODE_RGB => 3,
        MODE_CMYK => 4,
        mode => {
            let what = format!("Photoshop picture of colour mode {mode}");
            return Err(DecodeError::Unsupported { what });
        }
    };
    if header.channels < inks {
        return Err(damaged("too few channels"));
    }
    let has_alpha = has_alpha && header.mode == MODE_RGB && header.channels > inks;
    let wanted = inks + usize::from(has_alpha);
    // The planes and the picture that is made of them are in memory at the same time.
    check_size(header.width, header.height, 2 * u32::try_from(CHANNELS_MAX).unwrap_or(5))?;
    let planes = planes(data, &header, wanted)?;
    let pixel = |i: usize, channel: usize| planes[channel].get(i).copied().unwrap_or(0);
    let count = planes[0].len();
    let (layout, pixels): (Layout, Vec<u8>) = match (header.mode, has_alpha) {
        (MODE_RGB, false) => {
            let pixels = (0..count).flat_map(|i| [pixel(i, 0), pixel(i, 1), pixel(i, 2)]);
            (Layout::Rgb, pixels.collect())
        }
        (MODE_RGB, true) => {
            let pixels =
                (0..count).flat_map(|i| [pixel(i, 0), pixel(i, 1), pixel(i, 2), pixel(i, 3)]);
            (Layout::Rgba, pixels.collect())
        }
        // Full ink is 0, as in Adobe's JPEG.
        (MODE_CMYK, _) => {
            let pixels =
                (0..count).flat_map(|i| [pixel(i, 0), pixel(i, 1), pixel(i, 2), pixel(i, 3)]);
            (Layout::CmykInverted, pixels.collect())
        }
        (MODE_INDEXED, _) => {
            // 256 reds, then greens, then blues.
            let colour = |index: u8, part: usize| {
                palette.get(part * 256 + usize::from(index)).copied().unwrap_or(0)
            };
            let pixels = planes[0].iter().flat_map(|it| [0, 1, 2].map(|part| colour(*it, part)));
            (Layout::Rgb, pixels.collect())
        }
        _ => (Layout::Rgb, planes[0].iter().flat_map(|it| [*it; 3]).collect()),
    };
    let raster = Raster::from_data(header.width, header.height, layout, pixels)?;
    let is_colour = matches!(header.mode, MODE_RGB | MODE_CMYK);
    Ok(Decoded { raster, orientation, icc: icc.filter(|_| is_colour) })
}

fn header(bytes: &[u8]) -> Result<Header, DecodeError> {
    let word = |at: usize| bytes.get(at..at + 2).map(|it| u16::from_be_bytes([it[0], it[1]]));
    let long = |at: usize| {
        bytes.get(at..at + 4).map(|it| u32::from_be_bytes([it[0], it[1], it[2], it[3]]))
    };
    let read = || {
        Some(Header {
            is_big: word(4)? == 2,
            channels: usize::from(word(12)?),
            height: long(14)?,
            width: long(18)?,
            depth: word(22)?,
            mode: word(24)?,
        })
    };
    let header = read().ok_or_else(|| damaged("header"))?;
    if !matches!(header.depth, 8 | 16) {
        let what = format!("Photoshop picture with {} bits a channel", header.depth);
        return Err(DecodeError::Unsupported { what });
    }
    Ok(header)
}

/// Palette, picture data, and whether the fourth channel is the merged picture's transparency,
/// which a negative count of layers tells.
fn sections<'a>(bytes: &'a [u8], header: &Header) -> Option<(&'a [u8], &'a [u8], bool)> {
    let (palette, rest) = section(bytes.get(HEADER_BYTES..)?, false)?;
    let (_, rest) = section(rest, false)?;
    let (layers, data) = section(rest, header.is_big)?;
    let count_at = if header.is_big { 8 } else { 4 };
    let has_alpha = layers.get(count_at).is_some_and(|it| it & 0x80 != 0);
    Some((palette, data, has_alpha))
}

/// A section with its length before it, and what follows it.
fn section(bytes: &[u8], is_long: bool) -> Option<(&[u8], &[u8])> {
    let (length, rest) = if is_long {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        (usize::try_from(u64::from_be_bytes(*head)).ok()?, rest)
    } else {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        (usize::try_from(u32::from_be_bytes(*head)).ok()?, rest)
    };
    rest.split_at_checked(length)
}

/// The first channels, 8 bits a value, one after another.
fn planes(data: &[u8], header: &Header, wanted: usize) -> Result<Vec<Vec<u8>>, DecodeError> {
    let (head, body) = data.split_first_chunk::<2>().ok_or_else(|| damaged("picture data"))?;
    let side = |it: u32| usize::try_from(it).map_err(|_| DecodeError::OutOfMemory);
    let (width, height) = (side(header.width)?, side(header.height)?);
    let step = usize::from(header.depth / 8);
    let row_bytes = width * step;
    match u16::from_be_bytes(*head) {
        0 => {
            let plane_bytes = row_bytes * height;
            (0..wanted)
                .map(|channel| {
                    let plane = body.get(channel * plane_bytes..(channel + 1) * plane_bytes);
                    let plane = plane.ok_or_else(|| damaged("too few pixels"))?;
                    Ok(plane.iter().step_by(step).copied().collect())
                })
                .collect()
        }
        1 => packed_planes(body, header, wanted, (row_bytes, height, step)),
        _ => Err(DecodeError::Unsupported { what: "zipped Photoshop picture".to_owned() }),
    }
}

/// `PackBits`: the lengths of all rows of all channels, then the rows.
fn packed_planes(
    body: &[u8],
    header: &Header,
    wanted: usize,
    (row_bytes, height, step): (usize, usize, usize),
) -> Result<Vec<Vec<u8>>, DecodeError> {
    let length_bytes = if header.is_big { 4 } else { 2 };
    let table = header.channels * height * length_bytes;
    let (lengths, mut rows) = body.split_at_checked(table).ok_or_else(|| damaged("rows"))?;
    let mut lengths = lengths
        .chunks_exact(length_bytes)
        .map(|it| it.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)));
    let mut planes = Vec::with_capacity(wanted);
    let mut row = Vec::with_capacity(row_bytes);
    for _ in 0..wanted {
        let mut plane = Vec::with_capacity(row_bytes / step * height);
        for _ in 0..height {
            let length = lengths.next().ok_or_else(|| damaged("rows"))?;
            let (packed, rest) = rows.split_at_checked(length).ok_or_else(|| damaged("rows"))?;
            rows = rest;
            unpack(packed, row_bytes, &mut row);
            plane.extend(row.iter().step_by(step));
        }
        planes.push(plane);
    }
    Ok(planes)
}

/// One row; a damaged one is filled up with zeros and never longer than it should be.
fn unpack(mut packed: &[u8], row_bytes: usize, row: &mut Vec<u8>) {
    row.clear();
    while let [control, rest @ ..] = packed
        && row.len() < row_bytes
    {
        let (count, taken) = match control {
            0..=127 => (usize::from(*control) + 1, usize::from(*control) + 1),
            128 => (0, 0),
            129..=255 => (257 - usize::from(*control), 1),
        };
        let taken = taken.min(rest.len());
        let (run, rest) = rest.split_at(taken);
        match run {
            [value] if *control > 128 => row.extend(std::iter::repeat_n(*value, count)),
            run => row.extend_from_slice(run),
        }
        packed = rest;
    }
    row.resize(row_bytes, 0);
}

fn damaged(what: &str) -> DecodeError {
    DecodeError::corrupt(&format!("Photoshop: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One pixel high, as many wide as `row` unpacks to.
    fn file(channels: u16, mode: u16, width: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"8BPS\0\x01\0\0\0\0\0\0".to_vec();
        bytes.extend(channels.to_be_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(8_u16.to_be_bytes());
        bytes.extend(mode.to_be_bytes());
        bytes.extend([0; 12]);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn packed_rows_become_pixels() {
        // Three rows of two bytes: a run, two literals, a run.
        let data = b"\0\x01\0\x02\0\x03\0\x02\xff\x0a\x01\x14\x15\xff\x1e";
        let decoded = decode(&file(3, MODE_RGB, 2, data), Orientation::Upright, None).unwrap();
        assert_eq!(decoded.raster.data, [10, 20, 30, 10, 21, 30]);
    }

    #[test]
    fn inks_stay_inks() {
        let data = b"\0\0\xff\xff\xff\x00";
        let decoded = decode(&file(4, MODE_CMYK, 1, data), Orientation::Upright, None).unwrap();
        assert_eq!(decoded.raster.layout, Layout::CmykInverted);
        assert_eq!(decoded.raster.data, [255, 255, 255, 0]);
    }

    #[test]
    fn damage_and_bombs_are_refused() {
        let refused = |bytes: &[u8]| decode(bytes, Orientation::Upright, None).err().unwrap();
        assert!(matches!(
            refused(&file(3, MODE_RGB, 4_000_000_000, b"\0\x01")),
            DecodeError::TooLarge { .. }
        ));
        assert!(matches!(
            refused(&file(3, MODE_RGB, 2, b"\0\x01\0\xff")),
            DecodeError::Corrupt { .. }
        ));
        assert!(matches!(refused(b"8BPS"), DecodeError::Corrupt { .. }));
    }
}
