//! The parsers behind [`super::gather`], one by one, for [`crate::fuzz`].

use std::hint::black_box;

use super::{
    blocks, canon, ciff, date,
    exif::Tags,
    facts::Facts,
    flir, gather, iptc,
    maker::{self, Note},
    motion, number, picture_info, position, regions, tiff,
    xmp::Xmp,
};
use crate::kind::Sniffed;

/// Kinds whose containers are walked by our own code.
const KINDS: [Sniffed; 11] = [
    Sniffed::Jpeg,
    Sniffed::Png,
    Sniffed::Gif,
    Sniffed::Webp,
    Sniffed::Bmp,
    Sniffed::Tiff,
    Sniffed::Psd,
    Sniffed::Raw("image/x-canon-crw"),
    Sniffed::Raw("image/x-canon-cr2"),
    Sniffed::Raw("image/x-panasonic-rw2"),
    Sniffed::Raw("image/x-fujifilm-raf"),
];

/// Makers with notes of their own form.
const MAKERS: [&str; 4] = ["CASIO", "PENTAX", "Minolta", "EASTMAN KODAK"];

/// All containers on all bytes: a file need not be what it seems.
pub(crate) fn containers(bytes: &[u8]) {
    for kind in KINDS {
        black_box(gather(bytes, kind));
    }
    black_box(blocks::find(bytes, Sniffed::Jp2));
    black_box(tiff::find(bytes, true));
}

pub(crate) fn exif(bytes: &[u8]) {
    if let Some(tags) = Tags::read(bytes.to_vec()) {
        let mut facts = Facts::default();
        tags.fill(&mut facts);
        black_box((tags.original().is_some(), tags.any_offset(), tags.pixel_size()));
    }
}

/// The first byte is the place of the note.
pub(crate) fn maker_notes(bytes: &[u8]) {
    let Some((at, block)) = bytes.split_first() else { return };
    let at = usize::from(*at);
    for is_little in [true, false] {
        black_box(canon::read(block, at, block.len().saturating_sub(at), is_little));
        for maker in MAKERS {
            black_box(maker::read(maker, Note { block, at, is_little }));
        }
    }
}

pub(crate) fn xmp(bytes: &[u8]) {
    let xmp = Xmp::read(bytes);
    black_box((xmp.position(), xmp.keywords(), regions::faces(&xmp, 6)));
    gather::read_sidecar(bytes, &mut Facts::default());
    gather::read_xmp_of_film(bytes, &mut Facts::default());
}

pub(crate) fn iptc(bytes: &[u8]) {
    black_box(iptc::read(bytes));
}

/// Segments of cameras from before EXIF, and FLIR's.
pub(crate) fn old_segments(bytes: &[u8]) {
    let mut facts = Facts::default();
    black_box(ciff::fill(bytes, &mut facts));
    flir::fill(bytes, &mut facts);
    if picture_info::is_here(bytes) {
        picture_info::fill(bytes, &mut facts);
    }
}

pub(crate) fn motion_photo(bytes: &[u8]) {
    let packets = [Xmp::read(bytes)];
    for kind in [Sniffed::Jpeg, Sniffed::Heic] {
        if let Some(film) = motion::film(bytes, kind, &packets) {
            assert!(film.start <= film.end && film.end <= bytes.len(), "a film is in its file");
        }
    }
}

/// Dates, offsets, numbers and positions.
pub(crate) fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    black_box((date::parse(&text), date::offset(&text), date::nanoseconds(&text)));
    black_box((number::parse(&text), position::iso6709(&text), position::xmp_coordinate(&text)));
}
