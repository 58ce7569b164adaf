//! The true type of a file from its first bytes. Extensions lie; decoders are chosen by this.

use super::Family;

/// How far into a text file the root element of an SVG is looked for, in bytes.
const SVG_SEARCH_BYTES: usize = 2_048;

/// How far junk before the first JPEG marker is skipped, in bytes.
const JPEG_SEARCH_BYTES: usize = 1_024;

/// Size of one packet of an MPEG transport stream, in bytes.
const TS_PACKET_BYTES: usize = 188;

/// Types of camera RAW, as [`Sniffed::mime`] and [`raw_mime_of_maker`] give them.
pub(crate) const RAW_MIMES: [&str; 20] = [
    "image/x-adobe-dng",
    "image/x-canon-cr2",
    "image/x-canon-cr3",
    "image/x-canon-crw",
    "image/x-epson-erf",
    "image/x-fujifilm-raf",
    "image/x-hasselblad-3fr",
    "image/x-kodak-dcr",
    "image/x-leaf-mos",
    "image/x-minolta-mrw",
    "image/x-nikon-nef",
    "image/x-olympus-orf",
    "image/x-panasonic-rw2",
    "image/x-pentax-pef",
    "image/x-phaseone-iiq",
    "image/x-raw",
    "image/x-samsung-srw",
    "image/x-sigma-x3f",
    "image/x-sony-arw",
    "image/x-leica-rwl",
];

/// The type of a RAW file that is a TIFF like any other but for its maker (EXIF `Make`).
pub(crate) fn raw_mime_of_maker(make: &str) -> &'static str {
    const MAKERS: [(&str, &str); 10] = [
        ("nikon", "image/x-nikon-nef"),
        ("sony", "image/x-sony-arw"),
        ("pentax", "image/x-pentax-pef"),
        ("ricoh", "image/x-pentax-pef"),
        ("samsung", "image/x-samsung-srw"),
        ("epson", "image/x-epson-erf"),
        ("kodak", "image/x-kodak-dcr"),
        ("hasselblad", "image/x-hasselblad-3fr"),
        ("phase one", "image/x-phaseone-iiq"),
        ("leaf", "image/x-leaf-mos"),
    ];
    let make = make.to_lowercase();
    let known = MAKERS.iter().find(|(name, _)| make.contains(name));
    known.map_or("image/x-raw", |(_, mime)| mime)
}

/// A type recognised from bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sniffed {
    /// JPEG, also with junk before the first marker.
    Jpeg,
    /// PNG, animated ones included.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// BMP.
    Bmp,
    /// TIFF that is not a known RAW.
    Tiff,
    /// TIFF with 64-bit offsets.
    BigTiff,
    /// Photoshop.
    Psd,
    /// SVG.
    Svg,
    /// HEIF with HEVC inside.
    Heic,
    /// HEIF with AV1 inside.
    Avif,
    /// JPEG XL, bare or in boxes.
    Jxl,
    /// JPEG 2000.
    Jp2,
    /// Camera RAW; the string is its MIME type.
    Raw(&'static str),
    /// A film; the string is its MIME type.
    Video(&'static str),
}

impl Sniffed {
    /// MIME type of the bytes.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::BigTiff => "image/x-tiff-big",
            Self::Psd => "application/vnd.adobe.photoshop",
            Self::Svg => "image/svg+xml",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
            Self::Jxl => "image/jxl",
            Self::Jp2 => "image/jp2",
            Self::Raw(mime) | Self::Video(mime) => mime,
        }
    }

    /// Family of the bytes.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::Video(_) => Family::Video,
            Self::Jpeg
            | Self::Png
            | Self::Gif
            | Self::Webp
            | Self::Bmp
            | Self::Tiff
            | Self::BigTiff
            | Self::Psd
            | Self::Svg
            | Self::Heic
            | Self::Avif
            | Self::Jxl
            | Self::Jp2
            | Self::Raw(_) => Family::Image,
        }
    }
}

/// Recognises a file from its first bytes; 4 KiB are enough. `None` if nothing is known.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<Sniffed> {
    let at = |offset: usize, magic: &[u8]| {
        head.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    if at(0, b"\xff\xd8\xff") {
        return Some(Sniffed::Jpeg);
    }
    if at(0, b"\x89PNG\r\n\x1a\n") {
        return Some(Sniffed::Png);
    }
    if at(0, b"GIF87a") || at(0, b"GIF89a") {
        return Some(Sniffed::Gif);
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Some(Sniffed::Webp);
    }
    if at(0, b"RIFF") && at(8, b"AVI ") {
        return Some(Sniffed::Video("video/x-msvideo"));
    }
    if at(0, b"8BPS") {
        return Some(Sniffed::Psd);
    }
    if at(0, b"\xff\x0a") || at(0, b"\0\0\0\x0cJXL \r\n\x87\n") {
        return Some(Sniffed::Jxl);
    }
    if at(0, b"\0\0\0\x0cjP  \r\n\x87\n") || at(0, b"\xff\x4f\xff\x51") {
        return Some(Sniffed::Jp2);
    }
    if let Some(found) = raw(head).or_else(|| boxes(head)).or_else(|| film(head)) {
        return Some(found);
    }
    if at(0, b"II\x2a\0") || at(0, b"MM\0\x2a") {
        return Some(Sniffed::Tiff);
    }
    if at(0, b"II\x2b\0") || at(0, b"MM\0\x2b") {
        return Some(Sniffed::BigTiff);
    }
    if at(0, b"BM") && head.len() >= 26 && at(6, b"\0\0\0\0") {
        return Some(Sniffed::Bmp);
    }
    if is_svg(head) {
        return Some(Sniffed::Svg);
    }
    let searched = head.get(..JPEG_SEARCH_BYTES.min(head.len()))?;
    searched
        .windows(4)
        .any(|four| four.starts_with(b"\xff\xd8\xff") && four[3] >= 0xc0)
        .then_some(Sniffed::Jpeg)
}

/// Camera RAW with a signature of its own. Those that are plain TIFF are told apart by their tags.
fn raw(head: &[u8]) -> Option<Sniffed> {
    let mime = if head.starts_with(b"II\x1a\0\0\0HEAPCCDR") {
        "image/x-canon-crw"
    } else if head.starts_with(b"FUJIFILMCCD-RAW") {
        "image/x-fujifilm-raf"
    } else if head.starts_with(b"FOVb") {
        "image/x-sigma-x3f"
    } else if head.starts_with(b"\0MRM") {
        "image/x-minolta-mrw"
    } else if head.starts_with(b"IIU\0") {
        "image/x-panasonic-rw2"
    } else if head.starts_with(b"IIRO") || head.starts_with(b"IIRS") || head.starts_with(b"MMOR") {
        "image/x-olympus-orf"
    } else if head.starts_with(b"II\x2a\0") && head.get(8..10) == Some(b"CR") {
        "image/x-canon-cr2"
    } else {
        return None;
    };
    Some(Sniffed::Raw(mime))
}

/// Files made of ISO boxes (ISO 14496-12), told apart by their brands.
fn boxes(head: &[u8]) -> Option<Sniffed> {
    let name = head.get(4..8)?;
    if name != b"ftyp" {
        // QuickTime files older than `ftyp` begin with one of these boxes.
        let old = [&b"moov"[..], b"mdat", b"wide", b"free", b"skip", b"pnot"].contains(&name);
        return old.then_some(Sniffed::Video("video/quicktime"));
    }
    let size = u32::from_be_bytes(head.get(..4)?.try_into().ok()?);
    let end = usize::try_from(size).ok()?.clamp(16, 512).min(head.len());
    let major = head.get(8..12)?;
    let mut brands =
        std::iter::once(major).chain(head.get(16..end).unwrap_or_default().chunks_exact(4));
    let known = brands.find_map(|brand| match brand {
        b"avif" | b"avis" => Some(Sniffed::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some(Sniffed::Heic)
        }
        b"crx " => Some(Sniffed::Raw("image/x-canon-cr3")),
        _ => None,
    });
    if let Some(found) = known {
        return Some(found);
    }
    Some(match major {
        b"mif1" | b"msf1" | b"miaf" => Sniffed::Heic,
        b"qt  " => Sniffed::Video("video/quicktime"),
        b"M4V " | b"M4VH" | b"M4VP" => Sniffed::Video("video/x-m4v"),
        _ if major.starts_with(b"3gp") || major.starts_with(b"3g2") => Sniffed::Video("video/3gpp"),
        _ => Sniffed::Video("video/mp4"),
    })
}

/// Films in containers other than ISO boxes.
fn film(head: &[u8]) -> Option<Sniffed> {
    if head.starts_with(b"\x1a\x45\xdf\xa3") {
        let searched = head.get(..64.min(head.len()))?;
        let webm = searched.windows(4).any(|it| it == b"webm");
        return Some(Sniffed::Video(if webm { "video/webm" } else { "video/x-matroska" }));
    }
    let mime = if head.starts_with(b"FLV\x01") {
        "video/x-flv"
    } else if head.starts_with(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") {
        "video/x-ms-wmv"
    } else if head.starts_with(b"\0\0\x01\xba") || head.starts_with(b"\0\0\x01\xb3") {
        "video/mpeg"
    } else if head.starts_with(b"\x06\x0e\x2b\x34\x02\x05\x01\x01") {
        "application/mxf"
    } else if packets(head, 0, TS_PACKET_BYTES) {
        "video/mp2t"
    } else if packets(head, 4, TS_PACKET_BYTES + 4) {
        "video/m2ts"
    } else {
        return None;
    };
    Some(Sniffed::Video(mime))
}

/// Whether three sync bytes stand where a transport stream has them.
fn packets(head: &[u8], first: usize, step: usize) -> bool {
    (0..3).all(|i| head.get(first + i * step) == Some(&0x47))
}

fn is_svg(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    text.starts_with(b"<")
        && text
            .get(..SVG_SEARCH_BYTES.min(text.len()))
            .is_some_and(|searched| searched.windows(4).any(|it| it == b"<svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0\0\x10JFIF"), Some(Sniffed::Jpeg));
        assert_eq!(sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"), Some(Sniffed::Heic));
        assert_eq!(sniff(b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf"), Some(Sniffed::Avif));
        assert_eq!(
            sniff(b"\0\0\0\x14ftypqt  \0\0\0\0qt  "),
            Some(Sniffed::Video("video/quicktime"))
        );
        assert_eq!(sniff(b"<?xml version=\"1.0\"?>\n<svg/>"), Some(Sniffed::Svg));
        assert_eq!(sniff(b"hello"), None);
        assert_eq!(sniff(b""), None);
    }
}
