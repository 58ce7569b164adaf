//! WebP (RFC 9649): chunks of the picture stay, EXIF, XMP and unknown ones go.

use std::io;

use super::plan::Plan;
use super::scan::Scan;
use super::{malformed, orientation};

/// What shows the picture.
const KEPT: [&[u8; 4]; 6] = [b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// The bits of `VP8X` that say that there is EXIF and XMP.
const EXIF_BIT: u8 = 0x08;
const XMP_BIT: u8 = 0x04;
/// The payload of `VP8X`.
const VP8X_BYTES: u32 = 10;
/// The largest EXIF chunk looked into.
const EXIF_BYTES_MAX: usize = 1 << 20;
/// A file is a chunk of this type at its start.
const RIFF_HEADER_BYTES: u64 = 12;

pub(super) fn plan(scan: &mut Scan<'_>) -> io::Result<Plan> {
    scan.skip(RIFF_HEADER_BYTES)?;
    let mut extended: Option<[u8; 10]> = None;
    let mut kept: Vec<(u64, u64)> = Vec::new();
    let mut side_up = None;
    while scan.position() + 8 <= scan.length() {
        let start = scan.position();
        let kind: [u8; 4] = scan.array()?;
        let length = u32::from_le_bytes(scan.array()?);
        let padded = u64::from(length) + u64::from(length % 2);
        match &kind {
            b"VP8X" if length == VP8X_BYTES => extended = Some(scan.array()?),
            b"VP8X" => return Err(malformed()),
            b"EXIF" if usize::try_from(length).is_ok_and(|length| length <= EXIF_BYTES_MAX) => {
                let bytes = scan.bytes(u64::from(length), EXIF_BYTES_MAX)?;
                let tiff = bytes.strip_prefix(b"Exif\0\0").unwrap_or(&bytes);
                side_up = side_up.or_else(|| orientation::of_tiff(tiff));
            }
            _ => {}
        }
        let end = start + 8 + padded;
        if end > scan.length() {
            return Err(malformed());
        }
        scan.to(end)?;
        if KEPT.contains(&&kind) {
            kept.push((start, end - start));
        }
    }
    built(extended, &kept, side_up)
}

fn built(
    extended: Option<[u8; 10]>,
    kept: &[(u64, u64)],
    side_up: Option<u16>,
) -> io::Result<Plan> {
    let mut front = Vec::new();
    let mut back = Vec::new();
    if let Some(mut payload) = extended {
        payload[0] &= !(EXIF_BIT | XMP_BIT);
        if let Some(side_up) = side_up {
            payload[0] |= EXIF_BIT;
            back = chunk(*b"EXIF", &orientation::tiff(side_up))?;
        }
        front = chunk(*b"VP8X", &payload)?;
    }
    let own = u64::try_from(front.len() + back.len()).unwrap_or_default();
    let length = kept.iter().map(|(_, length)| length).sum::<u64>() + own + 4;
    let length = u32::try_from(length).map_err(|_| malformed())?;
    let mut header = b"RIFF".to_vec();
    header.extend(length.to_le_bytes());
    header.extend(b"WEBP");
    header.extend(front);
    let mut plan = Plan::default();
    plan.put(header)?;
    for (first, length) in kept {
        plan.keep(*first, *length)?;
    }
    if !back.is_empty() {
        plan.put(back)?;
    }
    Ok(plan)
}

fn chunk(kind: [u8; 4], payload: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(payload.len()).map_err(|_| malformed())?;
    let mut bytes = kind.to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(payload);
    if length % 2 == 1 {
        bytes.push(0);
    }
    Ok(bytes)
}
