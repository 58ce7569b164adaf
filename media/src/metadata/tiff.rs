//! TIFF files as containers: size of the main picture, XMP and ICC blocks, and for camera RAW the
//! largest embedded JPEG. Tags of cameras are read elsewhere, by [`super::exif`].

use std::ops::Range;

use super::{blocks::Blocks, embedded};
use crate::limits::{ICC_BYTES_MAX, XMP_BYTES_MAX};

/// Directories that are visited; loops end here.
const DIRECTORIES_MAX: usize = 64;

/// Entries of one directory that are looked at.
const ENTRIES_MAX: usize = 1_024;

/// Smallest long side of an embedded JPEG that stands in for the whole picture, in pixels.
const EMBEDDED_PX_MIN: u32 = 320;

/// Reads the directories of a classic TIFF. Damaged ones give what could be read.
pub(super) fn find(bytes: &[u8], is_raw: bool) -> Blocks {
    let Some(file) = File::open(bytes, 0) else {
        return Blocks::default();
    };
    let mut walk = Walk { is_raw, ..Walk::default() };
    let mut waiting = vec![file.u32(4)];
    while let Some(offset) = waiting.pop() {
        if offset == 0 || walk.visited.contains(&offset) || walk.visited.len() >= DIRECTORIES_MAX {
            continue;
        }
        walk.visited.push(offset);
        let directory = file.directory(offset);
        waiting.extend(directory.children.iter().copied().rev());
        walk.take(&file, directory);
    }
    walk.finish(bytes)
}

struct File<'a> {
    bytes: &'a [u8],
    base: usize,
    little: bool,
}

/// One entry: type, count, and where its value lies.
#[derive(Clone, Copy)]
struct Entry {
    kind: u16,
    count: u32,
    value_at: u32,
}

#[derive(Default)]
struct Directory {
    size: (u32, u32),
    subfile: u32,
    compression: u32,
    jpegs: Vec<(u32, u32)>,
    xmp: Option<(u32, u32)>,
    icc: Option<(u32, u32)>,
    iptc: Option<(u32, u32)>,
    children: Vec<u32>,
    is_raw: bool,
    is_dng: bool,
}

#[derive(Default)]
struct Walk {
    visited: Vec<u32>,
    blocks: Blocks,
    largest: (u32, u32),
    jpegs: Vec<Range<usize>>,
    is_raw: bool,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8], base: usize) -> Option<Self> {
        let head = bytes.get(base..base.checked_add(8)?)?;
        let little = match head.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        Some(Self { bytes, base, little })
    }

    fn slice(&self, at: u32, length: u32) -> Option<&'a [u8]> {
        self.range(at, length).and_then(|range| self.bytes.get(range))
    }

    fn range(&self, at: u32, length: u32) -> Option<Range<usize>> {
        let start = self.base.checked_add(usize::try_from(at).ok()?)?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    fn u16(&self, at: u32) -> u16 {
        let bytes = self.slice(at, 2).and_then(|it| it.try_into().ok()).unwrap_or([0; 2]);
        if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    fn u32(&self, at: u32) -> u32 {
        let bytes = self.slice(at, 4).and_then(|it| it.try_into().ok()).unwrap_or([0; 4]);
        if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    fn number(&self, entry: Entry, index: u32) -> u32 {
        match entry.kind {
            1 => {
                self.slice(entry.value_at.saturating_add(index), 1).map_or(0, |it| u32::from(it[0]))
            }
            3 => u32::from(self.u16(entry.value_at.saturating_add(index.saturating_mul(2)))),
            _ => self.u32(entry.value_at.saturating_add(index.saturating_mul(4))),
        }
    }

    fn directory(&self, offset: u32) -> Directory {
        let mut found = Directory::default();
        let count = u32::from(self.u16(offset));
        let (mut offsets, mut lengths) = (None, None);
        let (mut jpeg_at, mut jpeg_length) = (0, 0);
        for i in 0..count.min(u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX)) {
            let Some(at) = offset.checked_add(2).and_then(|it| it.checked_add(i * 12)) else {
                break;
            };
            let entry = self.entry(at);
            let first = self.number(entry, 0);
            match self.u16(at) {
                0x00fe => found.subfile = first,
                0x0100 => found.size.0 = first,
                0x0101 => found.size.1 = first,
                0x0103 => found.compression = first,
                0x0111 | 0x0144 => offsets = Some(entry),
                0x0117 | 0x0145 => lengths = Some(entry),
                0x0201 => jpeg_at = first,
                0x0202 => jpeg_length = first,
                // Sub-directories: of pictures, and EXIF's own is of no use here.
                0x014a => {
                    let children = (0..entry.count.min(8)).map(|index| self.number(entry, index));
                    found.children.extend(children);
                }
                0x02bc => found.xmp = Some((entry.value_at, entry.count)),
                0x83bb => {
                    let unit = if entry.kind == 4 { 4 } else { 1 };
                    found.iptc = Some((entry.value_at, entry.count.saturating_mul(unit)));
                }
                0x8773 => found.icc = Some((entry.value_at, entry.count)),
                0xc612 => (found.is_raw, found.is_dng) = (true, true),
                // CFA pattern, Sony's RAW: more than a scan.
                0x828e | 0x7001 => found.is_raw = true,
                0x002e => {
                    found.is_raw = true;
                    found.jpegs.push((entry.value_at, entry.count));
                }
                _ => {}
            }
        }
        if jpeg_at != 0 {
            found.jpegs.push((jpeg_at, jpeg_length));
        }
        if matches!(found.compression, 6 | 7)
            && let (Some(offsets), Some(lengths)) = (offsets, lengths)
            && offsets.count == 1
        {
            found.jpegs.push((self.number(offsets, 0), self.number(lengths, 0)));
        }
        let next = offset.checked_add(2).and_then(|it| it.checked_add(count * 12));
        found.children.extend(next.map(|at| self.u32(at)).filter(|it| *it != 0));
        found
    }

    fn entry(&self, at: u32) -> Entry {
        let kind = self.u16(at.saturating_add(2));
        let count = self.u32(at.saturating_add(4));
        let unit: u32 = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            _ => 8,
        };
        let inline = count.saturating_mul(unit) <= 4;
        let place = at.saturating_add(8);
        let value_at = if inline { place } else { self.u32(place) };
        Entry { kind, count, value_at }
    }
}

impl Walk {
    fn take(&mut self, file: &File<'_>, directory: Directory) {
        self.is_raw |= directory.is_raw;
        self.blocks.is_dng |= directory.is_dng;
        let area = |size: (u32, u32)| u64::from(size.0) * u64::from(size.1);
        let is_main = directory.subfile & 1 == 0;
        if is_main && area(directory.size) > area(self.largest) {
            self.largest = directory.size;
        }
        if self.visited.len() == 1 && self.blocks.size.is_none() && area(directory.size) > 0 {
            self.blocks.size = Some(directory.size);
        }
        let copy = |place: Option<(u32, u32)>, limit: usize| {
            let (at, length) = place?;
            file.slice(at, length).filter(|it| it.len() <= limit).map(<[u8]>::to_vec)
        };
        self.blocks.xmp.extend(copy(directory.xmp, XMP_BYTES_MAX));
        self.blocks.icc = self.blocks.icc.take().or_else(|| copy(directory.icc, ICC_BYTES_MAX));
        self.blocks.iptc = self.blocks.iptc.take().or_else(|| copy(directory.iptc, XMP_BYTES_MAX));
        let ranges = directory.jpegs.into_iter().filter_map(|(at, length)| file.range(at, length));
        self.jpegs.extend(ranges.filter(|it| file.bytes.get(it.clone()).is_some_and(is_jpeg)));
    }

    fn finish(mut self, bytes: &[u8]) -> Blocks {
        if self.is_raw {
            if self.largest != (0, 0) {
                self.blocks.size = Some(self.largest);
            }
            self.blocks.is_raw = true;
            self.blocks.embedded_jpeg =
                largest_jpeg(bytes, self.jpegs).or_else(|| embedded::largest(bytes));
        }
        self.blocks
    }
}

/// The largest of some JPEGs that is worth showing.
pub(super) fn largest_jpeg(bytes: &[u8], ranges: Vec<Range<usize>>) -> Option<Range<usize>> {
    let sized = ranges.into_iter().filter_map(|range| {
        let jpeg = bytes.get(range.clone())?;
        let header = turbojpeg::read_header(jpeg).ok().filter(|it| !it.is_lossless)?;
        Some((header.width.max(header.height), range))
    });
    let (side, range) = sized.max_by_key(|(side, _)| *side)?;
    (u32::try_from(side).ok()? >= EMBEDDED_PX_MIN).then_some(range)
}

fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff")
}
