//! JPEG (ITU T.81): segments of the picture stay; EXIF, XMP, IPTC, comments and whatever follows the end go.

use std::io;

use super::plan::Plan;
use super::scan::Scan;
use super::{malformed, orientation};

/// The longest segment.
const SEGMENT_BYTES_MAX: usize = 65_535;
/// A JFIF segment without a thumbnail in it.
const JFIF_BYTES: u64 = 14;

pub(super) fn plan(scan: &mut Scan<'_>) -> io::Result<Plan> {
    let mut kept: Vec<(u64, u64)> = Vec::new();
    let mut side_up = None;
    scan.skip(2)?;
    let mut start = scan.position();
    let mut marker = next_marker(scan)?;
    loop {
        match marker {
            // The end: an appended film or second picture is not sent.
            0xD9 => {
                kept.push((start, scan.position() - start));
                break;
            }
            0x01 | 0xD0..=0xD8 => kept.push((start, scan.position() - start)),
            _ => {
                let length = u64::from(u16::from_be_bytes(scan.array()?));
                let payload = length.checked_sub(2).ok_or_else(malformed)?;
                if matches!(marker, 0xE0..=0xEF | 0xFE) {
                    let bytes = scan.bytes(payload, SEGMENT_BYTES_MAX)?;
                    if let Some(tiff) = bytes.strip_prefix(b"Exif\0\0")
                        && marker == 0xE1
                    {
                        side_up = side_up.or_else(|| orientation::of_tiff(tiff));
                    }
                    if is_of_the_picture(marker, &bytes) {
                        kept.push((start, scan.position() - start));
                    }
                } else {
                    scan.skip(payload)?;
                    if marker == 0xDA {
                        let (next, at) = after_scan(scan)?;
                        kept.push((start, at - start));
                        (start, marker) = (at, next);
                        continue;
                    }
                    kept.push((start, scan.position() - start));
                }
            }
        }
        start = scan.position();
        marker = next_marker(scan)?;
    }
    let mut plan = Plan::default();
    plan.keep(0, 2)?;
    if let Some(side_up) = side_up {
        plan.put(exif(side_up))?;
    }
    for (first, length) in kept {
        plan.keep(first, length)?;
    }
    Ok(plan)
}

/// The marker at this place; fill bytes before it are passed over.
fn next_marker(scan: &mut Scan<'_>) -> io::Result<u8> {
    if scan.byte()? != 0xFF {
        return Err(malformed());
    }
    loop {
        match scan.byte()? {
            0xFF => {}
            0x00 => return Err(malformed()),
            marker => return Ok(marker),
        }
    }
}

/// Passes over coded data: the marker that ends it, and where that begins.
fn after_scan(scan: &mut Scan<'_>) -> io::Result<(u8, u64)> {
    loop {
        if scan.byte()? != 0xFF {
            continue;
        }
        let mut at = scan.position() - 1;
        let marker = loop {
            match scan.byte()? {
                0xFF => at = scan.position() - 1,
                marker => break marker,
            }
        };
        // A stuffed byte or a restart is part of the data.
        if !matches!(marker, 0x00 | 0xD0..=0xD7) {
            return Ok((marker, at));
        }
    }
}

/// Whether an application segment is needed to show the picture: size of pixels, colours.
fn is_of_the_picture(marker: u8, bytes: &[u8]) -> bool {
    match marker {
        0xE0 => {
            bytes.starts_with(b"JFIF\0")
                && u64::try_from(bytes.len()).is_ok_and(|length| length <= JFIF_BYTES)
        }
        0xE2 => bytes.starts_with(b"ICC_PROFILE\0"),
        0xEE => bytes.starts_with(b"Adobe"),
        _ => false,
    }
}

/// An EXIF segment that says only which side is up.
fn exif(side_up: u16) -> Vec<u8> {
    let tiff = orientation::tiff(side_up);
    let length = u16::try_from(tiff.len() + 8).unwrap_or_default();
    let mut segment = vec![0xFF, 0xE1];
    segment.extend(length.to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    segment
}
