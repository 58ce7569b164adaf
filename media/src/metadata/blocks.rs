//! Finds the metadata blocks of a picture file: EXIF, XMP, IPTC, ICC, and its size.
//!
//! Only lengths are followed here and nothing is decoded, so every byte of the file is looked at
//! as damaged as it may be. Containers: JPEG, PNG, WebP, GIF, BMP; TIFF and HEIF have their own.

use std::{io::Read as _, ops::Range};

use flate2::read::ZlibDecoder;

use super::picture_info;
use crate::{
    kind::Sniffed,
    limits::{EXIF_BYTES_MAX, ICC_BYTES_MAX, SEGMENTS_MAX, XMP_BYTES_MAX},
};

/// The blocks of one file.
#[derive(Debug, Default, Clone)]
pub(crate) struct Blocks {
    /// Stored width and height in pixels.
    pub(crate) size: Option<(u32, u32)>,
    /// TIFF structure with EXIF tags.
    pub(crate) exif: Option<Vec<u8>>,
    /// XMP packets, the main one first.
    pub(crate) xmp: Vec<Vec<u8>>,
    /// IPTC-IIM records.
    pub(crate) iptc: Option<Vec<u8>>,
    /// ICC profile.
    pub(crate) icc: Option<Vec<u8>>,
    /// Canon's heap, in JPEGs from before EXIF.
    pub(crate) ciff: Option<Vec<u8>>,
    /// FLIR's file of records, put together from its segments.
    pub(crate) flir: Vec<u8>,
    /// Lines of text, in JPEGs from before EXIF.
    pub(crate) picture_info: Option<Vec<u8>>,
    /// Whether the pixels are a camera's sensor data.
    pub(crate) is_raw: bool,
    /// Whether it is a Digital Negative, which any maker may write.
    pub(crate) is_dng: bool,
    /// Where a JPEG of the whole picture lies inside a RAW file.
    pub(crate) embedded_jpeg: Option<Range<usize>>,
    /// Length of the picture itself, where more may follow it (motion photos).
    pub(crate) picture_end: Option<usize>,
}

/// Looks through a file of the given kind.
pub(crate) fn find(bytes: &[u8], kind: Sniffed) -> Blocks {
    match kind {
        Sniffed::Jpeg => jpeg(bytes),
        Sniffed::Png => png(bytes),
        Sniffed::Webp => webp(bytes),
        Sniffed::Gif => Blocks {
            size: Some((u32::from(le16(bytes, 6)), u32::from(le16(bytes, 8)))),
            ..Blocks::default()
        },
        Sniffed::Bmp => bmp(bytes),
        Sniffed::Psd => psd(bytes),
        Sniffed::Jp2 => jp2(bytes),
        _ => Blocks::default(),
    }
}

fn jpeg(bytes: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    let mut icc_parts: Vec<(u8, &[u8])> = Vec::new();
    let mut photoshop = Vec::new();
    let start = bytes.windows(3).take(1_024).position(|it| it == b"\xff\xd8\xff").unwrap_or(0);
    let mut at = start + 2;
    for _ in 0..SEGMENTS_MAX {
        // Fill bytes and junk between segments are skipped up to the next marker.
        let Some(step) = bytes.get(at..).and_then(|it| it.iter().position(|b| *b == 0xff)) else {
            break;
        };
        at += step;
        let Some(&marker) = bytes.get(at + 1) else { break };
        if matches!(marker, 0xff | 0x00) {
            at += 1;
            continue;
        }
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            at += 2;
            continue;
        }
        // Behind the start of a scan only pixels follow.
        if matches!(marker, 0xd9 | 0xda) {
            break;
        }
        let length = usize::from(be16(bytes, at + 2));
        let body = bytes.get(at + 4..at + 2 + length.max(2)).unwrap_or_default();
        match marker {
            0xe0 if body.get(6..14) == Some(b"HEAPJPGM") => blocks.ciff = Some(body.to_vec()),
            0xe1 => app1(body, &mut blocks),
            0xec if picture_info::is_here(body) => blocks.picture_info = Some(body.to_vec()),
            0xe2 => {
                if let Some(rest) = body.strip_prefix(b"ICC_PROFILE\0")
                    && let [number, _, data @ ..] = rest
                {
                    icc_parts.push((*number, data));
                }
            }
            0xed => {
                if let Some(rest) = body.strip_prefix(b"Photoshop 3.0\0") {
                    photoshop.extend_from_slice(rest);
                }
            }
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if body.len() >= 5 => {
                let size = (u32::from(be16(body, 3)), u32::from(be16(body, 1)));
                blocks.size.get_or_insert(size);
            }
            _ => {}
        }
        at += 2 + length.max(2);
    }
    icc_parts.sort_by_key(|(number, _)| *number);
    let icc: Vec<u8> = icc_parts.iter().flat_map(|(_, data)| data.iter().copied()).collect();
    blocks.icc = Some(icc).filter(|it| !it.is_empty() && it.len() <= ICC_BYTES_MAX);
    blocks.iptc = iptc_resource(&photoshop);
    blocks.picture_end = Some(bytes.len());
    blocks
}

fn app1(body: &[u8], blocks: &mut Blocks) {
    const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
    const EXTENDED: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
    const FLIR: &[u8] = b"FLIR\0\x01";
    if let Some(rest) = body.strip_prefix(b"Exif\0") {
        if blocks.exif.is_none() {
            blocks.exif = rest.get(1..).map(<[u8]>::to_vec);
        }
    } else if let Some(rest) = body.strip_prefix(XMP) {
        blocks.xmp.push(rest.to_vec());
    } else if let Some([_, _, part @ ..]) = body.strip_prefix(FLIR) {
        // Number and count of the parts, which come in order.
        if blocks.flir.len() + part.len() <= EXIF_BYTES_MAX {
            blocks.flir.extend_from_slice(part);
        }
    } else if let Some(rest) = body.strip_prefix(EXTENDED) {
        // 32 bytes of digest, then length and offset; parts come in order in practice.
        let part = rest.get(40..).unwrap_or_default();
        let first = rest.get(36..40) == Some(&[0; 4]);
        match blocks.xmp.last_mut() {
            Some(packet) if !first && packet.len() + part.len() <= XMP_BYTES_MAX => {
                packet.extend_from_slice(part);
            }
            _ => blocks.xmp.push(part.to_vec()),
        }
    }
}

/// Resource 0x0404 of a Photoshop block holds the IPTC records.
fn iptc_resource(photoshop: &[u8]) -> Option<Vec<u8>> {
    let mut rest = photoshop;
    for _ in 0..SEGMENTS_MAX {
        let body = rest.strip_prefix(b"8BIM")?;
        let id = be16(body, 0);
        let name = usize::from(*body.get(2)?);
        let name_padded = (name + 2) & !1;
        let length = usize::try_from(be32(body, 2 + name_padded)).ok()?;
        let data = body.get(6 + name_padded..)?;
        if id == 0x0404 {
            return data.get(..length.min(data.len())).map(<[u8]>::to_vec);
        }
        rest = data.get((length + 1) & !1..)?;
    }
    None
}

fn png(bytes: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    let mut at = 8_usize;
    for _ in 0..SEGMENTS_MAX {
        let Some(head) = bytes.get(at..at + 8) else { break };
        let Ok(length) = usize::try_from(be32(head, 0)) else { break };
        let end = (at + 8).saturating_add(length).min(bytes.len());
        let body = bytes.get(at + 8..end).unwrap_or_default();
        match &head[4..8] {
            b"IHDR" => blocks.size = Some((be32(body, 0), be32(body, 4))),
            b"eXIf" if length <= EXIF_BYTES_MAX => blocks.exif = Some(body.to_vec()),
            b"iTXt" if length <= XMP_BYTES_MAX => {
                // keyword, two bytes of compression (0 here), language, translated keyword
                if let Some(rest) = body.strip_prefix(b"XML:com.adobe.xmp\0\0\0")
                    && let Some(text) = rest.splitn(3, |it| *it == 0).nth(2)
                {
                    blocks.xmp.push(text.to_vec());
                }
            }
            b"zTXt" => raw_profile(body, &mut blocks),
            b"IEND" => break,
            _ => {}
        }
        let Some(next) = at.checked_add(12).and_then(|it| it.checked_add(length)) else { break };
        at = next;
    }
    blocks
}

/// ImageMagick's older way: EXIF and XMP in hexadecimal, packed, behind a name and a length.
fn raw_profile(body: &[u8], blocks: &mut Blocks) {
    const NAME: &[u8] = b"Raw profile type ";
    let Some(rest) = body.strip_prefix(NAME) else { return };
    let mut parts = rest.splitn(2, |it| *it == 0);
    let (name, packed) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let limit = u64::try_from(XMP_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    // The first byte names the method of packing; there is only one.
    let unpacked =
        ZlibDecoder::new(packed.get(1..).unwrap_or_default()).take(limit).read_to_end(&mut text);
    if unpacked.is_err() {
        return;
    }
    let lines = text.split(|it| *it == b'\n').skip(3).flatten();
    let digits: Vec<u8> = lines
        .filter_map(|it| char::from(*it).to_digit(16))
        .filter_map(|it| u8::try_from(it).ok())
        .collect();
    let data: Vec<u8> = digits.chunks_exact(2).map(|it| it[0] << 4 | it[1]).collect();
    match name {
        b"exif" => blocks.exif = Some(data.strip_prefix(b"Exif\0\0").unwrap_or(&data).to_vec()),
        b"APP1" if data.starts_with(b"Exif\0\0") => blocks.exif = Some(data[6..].to_vec()),
        b"xmp" => blocks.xmp.push(data),
        _ => {}
    }
}

fn webp(bytes: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    let mut at = 12_usize;
    for _ in 0..SEGMENTS_MAX {
        let Some(head) = bytes.get(at..at + 8) else { break };
        let Ok(length) = usize::try_from(le32(head, 4)) else { break };
        let end = (at + 8).saturating_add(length).min(bytes.len());
        let body = bytes.get(at + 8..end).unwrap_or_default();
        match &head[..4] {
            b"VP8X" if body.len() >= 10 => {
                blocks.size = Some(((le32(body, 4) & 0xff_ffff) + 1, (le32(body, 6) >> 8) + 1));
            }
            b"VP8 " if body.len() >= 10 => {
                let size = (u32::from(le16(body, 6) & 0x3fff), u32::from(le16(body, 8) & 0x3fff));
                blocks.size.get_or_insert(size);
            }
            b"VP8L" if body.len() >= 5 => {
                let bits = le32(body, 1);
                blocks.size.get_or_insert(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1));
            }
            b"EXIF" if length <= EXIF_BYTES_MAX => {
                blocks.exif = Some(body.strip_prefix(b"Exif\0\0").unwrap_or(body).to_vec());
            }
            b"XMP " if length <= XMP_BYTES_MAX => blocks.xmp.push(body.to_vec()),
            _ => {}
        }
        let Some(next) = (at + 8).checked_add(length).and_then(|it| it.checked_add(length & 1))
        else {
            break;
        };
        at = next;
    }
    blocks
}

fn bmp(bytes: &[u8]) -> Blocks {
    let height = le32(bytes, 22);
    // Pictures stored from the top have a negative height.
    let height = if height > u32::MAX / 2 { height.wrapping_neg() } else { height };
    Blocks { size: Some((le32(bytes, 18), height)), ..Blocks::default() }
}

fn psd(bytes: &[u8]) -> Blocks {
    let mut blocks = Blocks { size: Some((be32(bytes, 18), be32(bytes, 14))), ..Blocks::default() };
    let resources = || {
        let colours = usize::try_from(be32(bytes, 26)).ok()?;
        let at = 30_usize.checked_add(colours)?;
        let length = usize::try_from(be32(bytes, at)).ok()?;
        bytes.get(at + 4..(at + 4).checked_add(length)?.min(bytes.len()))
    };
    let mut rest = resources().unwrap_or_default();
    for _ in 0..SEGMENTS_MAX {
        let Some(body) = rest.strip_prefix(b"8BIM") else { break };
        let name_padded = (usize::from(body.get(2).copied().unwrap_or(0)) + 2) & !1;
        let Ok(length) = usize::try_from(be32(body, 2 + name_padded)) else { break };
        let data = body.get(6 + name_padded..).unwrap_or_default();
        let value = data.get(..length.min(data.len())).unwrap_or_default();
        match be16(body, 0) {
            0x0404 => blocks.iptc = Some(value.to_vec()),
            0x040f if length <= ICC_BYTES_MAX => blocks.icc = Some(value.to_vec()),
            0x0422 => blocks.exif = Some(value.to_vec()),
            0x0424 => blocks.xmp.push(value.to_vec()),
            _ => {}
        }
        let Some(next) = length.checked_add(1).and_then(|it| data.get(it & !1..)) else { break };
        rest = next;
    }
    blocks
}

/// EXIF and XMP lie in boxes of their own kind, told by UUID (the first as ExifTool and others
/// write it, the second from the XMP Specification, part 3).
fn jp2(bytes: &[u8]) -> Blocks {
    const EXIF: &[u8] = b"JpgTiffExif->JP2";
    const XMP: &[u8] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    let mut blocks = Blocks::default();
    for (name, body) in boxes(bytes) {
        match (name, body) {
            (b"uuid", body) if body.starts_with(EXIF) && body.len() <= EXIF_BYTES_MAX => {
                blocks.exif = Some(body[EXIF.len()..].to_vec());
            }
            (b"uuid", body) if body.starts_with(XMP) && body.len() <= XMP_BYTES_MAX => {
                blocks.xmp.push(body[XMP.len()..].to_vec());
            }
            _ => {}
        }
    }
    blocks
}

/// The boxes of one level (ISO 14496-12, 4.2): name and contents. A damaged length is the last.
pub(crate) fn boxes(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<8>()?;
        let (size, name) = head.split_first_chunk::<4>()?;
        let (start, length) = match u32::from_be_bytes(*size) {
            0 => (8, rest.len()),
            1 => {
                let long = after.split_first_chunk::<8>()?.0;
                (16, usize::try_from(u64::from_be_bytes(*long)).ok()?)
            }
            short => (8, usize::try_from(short).ok()?),
        };
        let body = rest.get(start..length.min(rest.len()))?;
        rest = rest.get(length..).unwrap_or_default();
        name.first_chunk::<4>().map(|name| (name, body))
    })
    .take(SEGMENTS_MAX)
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array(bytes, at))
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

/// The bytes at a place; zeros behind the end of the file.
fn array<const LENGTH: usize>(bytes: &[u8], at: usize) -> [u8; LENGTH] {
    bytes
        .get(at..at.saturating_add(LENGTH))
        .and_then(|it| it.try_into().ok())
        .unwrap_or([0; LENGTH])
}
