//! Canon CRW: a heap of heaps with its directory at the end (CIFF, Canon 1997).
//!
//! Names of tags and formulas: ExifTool's tables "`CanonRaw`".

use chrono::DateTime;

use super::facts::{Facts, Taken};
use super::{number, text};

/// Where the root heap starts, in bytes; the header says so too, and it is always this.
const ROOT_AT: usize = 26;

/// Entries of one directory, and depth of directories, that are looked at.
const ENTRIES_MAX: u16 = 256;
const DEPTH_MAX: u32 = 8;

/// Tags: the two highest bits tell where the value is, the next three what it is.
const PLACE_MASK: u16 = 0xc000;
const PLACE_HERE: u16 = 0x4000;
const KIND_MASK: u16 = 0x3800;
const KIND_HEAPS: [u16; 2] = [0x2800, 0x3000];
const MAKE_MODEL: u16 = 0x080a;
const BASE_ISO: u16 = 0x101c;
const FOCAL_LENGTH: u16 = 0x1029;
const SHOT_INFO: u16 = 0x102a;
const CAPTURED_AT: u16 = 0x180e;
const IMAGE_INFO: u16 = 0x1810;

/// Places of aperture and exposure in [`SHOT_INFO`].
const F_NUMBER: usize = 21;
const EXPOSURE: usize = 22;

/// Reads what is there into the facts; gives the size of the picture in pixels.
pub(super) fn fill(bytes: &[u8], facts: &mut Facts) -> Option<(u32, u32)> {
    let mut size = None;
    heap(bytes.get(ROOT_AT..)?, 0, facts, &mut size);
    size
}

fn heap(heap: &[u8], depth: u32, facts: &mut Facts, size: &mut Option<(u32, u32)>) {
    if depth >= DEPTH_MAX {
        return;
    }
    let directory = heap.len().checked_sub(4).and_then(|at| index(heap, at));
    let Some(directory) = directory.and_then(|at| heap.get(at..)) else { return };
    for i in 0..u16_at(directory, 0).unwrap_or(0).min(ENTRIES_MAX) {
        let at = 2 + usize::from(i) * 10;
        let Some(tag) = u16_at(directory, at) else { return };
        let value = if tag & PLACE_MASK == PLACE_HERE {
            directory.get(at + 2..at + 10)
        } else {
            let place = index(directory, at + 2).zip(index(directory, at + 6));
            place.and_then(|(length, start)| heap.get(start..start.checked_add(length)?))
        };
        let Some(value) = value else { continue };
        if KIND_HEAPS.contains(&(tag & KIND_MASK)) {
            self::heap(value, depth + 1, facts, size);
        } else {
            take(tag & !PLACE_MASK, value, facts, size);
        }
    }
}

fn take(tag: u16, value: &[u8], facts: &mut Facts, size: &mut Option<(u32, u32)>) {
    match tag {
        MAKE_MODEL => {
            let mut names = value.splitn(3, |it| *it == 0);
            facts.make = names.next().and_then(text::from_bytes);
            facts.model = names.next().and_then(text::from_bytes);
        }
        BASE_ISO => facts.iso = u16_at(value, 0).filter(|it| *it > 0).map(u32::from),
        FOCAL_LENGTH => {
            facts.focal_length_mm = u16_at(value, 2).filter(|it| *it > 0).map(f64::from);
        }
        SHOT_INFO => {
            // In 32nds of a stop, two stops to a doubling.
            let stops = u16_at(value, F_NUMBER * 2).filter(|it| (1..=0x200).contains(it));
            facts.f_number = stops.map(|it| number::rounded((f64::from(it) / 64.0).exp2()));
            let exposure = u16_at(value, EXPOSURE * 2).filter(|_| stops.is_some());
            let seconds =
                exposure.map(|it| (-stops_of(i16::from_le_bytes(it.to_le_bytes()))).exp2());
            facts.exposure_time = seconds.and_then(number::exposure);
        }
        CAPTURED_AT => {
            let seconds = value.first_chunk::<4>().map(|it| u32::from_le_bytes(*it));
            let local = seconds
                .filter(|it| *it > 0)
                .and_then(|it| DateTime::from_timestamp(i64::from(it), 0));
            facts.taken = local.map(|it| Taken {
                local: it.naive_utc(),
                offset_minutes: None,
                source_tag: "DateTimeOriginal".to_owned(),
            });
        }
        IMAGE_INFO => {
            let side =
                |at: usize| value.get(at..)?.first_chunk::<4>().map(|it| u32::from_le_bytes(*it));
            *size = side(0).zip(side(4));
        }
        _ => {}
    }
}

/// Canon counts in 32nds of a stop and means thirds by 12 and 20 of them.
fn stops_of(value: i16) -> f64 {
    let size = value.unsigned_abs();
    let (whole, rest) = (f64::from(size - size % 32), size % 32);
    let rest = match rest {
        12 => 32.0 / 3.0,
        20 => 64.0 / 3.0,
        other => f64::from(other),
    };
    (whole + rest) / 32.0 * f64::from(value.signum())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|it| u16::from_le_bytes(*it))
}

fn index(bytes: &[u8], at: usize) -> Option<usize> {
    let value = bytes.get(at..)?.first_chunk::<4>().map(|it| u32::from_le_bytes(*it))?;
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_tells_maker_and_sensitivity() {
        let mut heap = b"Canon\0EOS D30\0".to_vec();
        let at = u32::try_from(heap.len()).unwrap();
        heap.extend(b"\x02\0\x0a\x08\x0e\0\0\0\0\0\0\0\x1c\x50\x64\0\0\0\0\0\0\0");
        heap.extend(at.to_le_bytes());
        let file = [vec![0; ROOT_AT], heap].concat();
        let mut facts = Facts::default();
        fill(&file, &mut facts);
        assert_eq!(facts.make.as_deref(), Some("Canon"));
        assert_eq!(facts.model.as_deref(), Some("EOS D30"));
        assert_eq!(facts.iso, Some(100));
    }

    #[test]
    fn thirds_of_stops_are_thirds() {
        assert!((stops_of(-76) + 7.0 / 3.0).abs() < 1e-9);
        assert!((stops_of(52) - 5.0 / 3.0).abs() < 1e-9);
        assert!((stops_of(i16::MIN) + 1024.0).abs() < 1e-9);
    }

    #[test]
    fn damage_ends() {
        let mut facts = Facts::default();
        assert_eq!(fill(&[0xff; 100], &mut facts), None);
        assert_eq!(fill(b"", &mut facts), None);
        assert_eq!(facts, Facts::default());
    }
}
