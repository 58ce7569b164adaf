//! Canon's maker note: the lens, and the sensitivity of cameras older than EXIF 2.2.
//!
//! It is a directory of EXIF's own form whose offsets count from the start of the whole block.
//! Names of tags and formulas: ExifTool's tables "Canon" and "Canon `ShotInfo`".

use super::text;

/// Settings at the shot, a list of 16-bit numbers.
const SHOT_INFO: u16 = 0x0004;

/// Name of the lens.
const LENS_MODEL: u16 = 0x0095;

/// What stands before the place at the end of a note: the head of a TIFF.
const FOOTERS: [&[u8]; 2] = [b"II\x2a\0", b"MM\0\x2a"];

/// Entries of the directory that are looked at.
const ENTRIES_MAX: u16 = 256;

/// Places in [`SHOT_INFO`]: gain of the automatic, and what it starts from.
const AUTO_ISO: usize = 1;
const BASE_ISO: usize = 2;

/// What is used of a maker note.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Canon {
    pub(super) lens_model: Option<String>,
    pub(super) iso: Option<u32>,
}

/// Reads the directory at an offset of an EXIF block. What is damaged is left out.
///
/// `length` is that of the whole note, which ends with the place that it was written for.
pub(super) fn read(tiff: &[u8], offset: usize, length: usize, little: bool) -> Canon {
    let word = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk::<4>()?;
        let value = if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(value).ok()
    };
    // Programs that move the note leave its offsets behind.
    let footer = offset.checked_add(length).and_then(|it| it.checked_sub(8));
    let is_footer = |at: &usize| tiff.get(*at..*at + 4).is_some_and(|it| FOOTERS.contains(&it));
    let written_for = footer.filter(is_footer).and_then(|at| long(at + 4)).filter(|it| *it > 0);
    let moved = |value: usize| match written_for {
        Some(place) => value.checked_add(offset)?.checked_sub(place),
        None => Some(value),
    };
    let mut found = Canon::default();
    for i in 0..word(offset).unwrap_or(0).min(ENTRIES_MAX) {
        let at = offset + 2 + usize::from(i) * 12;
        let (Some(tag), Some(count), Some(value)) = (word(at), long(at + 4), long(at + 8)) else {
            break;
        };
        let value = if tag == LENS_MODEL || tag == SHOT_INFO { moved(value) } else { None };
        let Some(value) = value else { continue };
        match tag {
            LENS_MODEL => {
                let name = tiff.get(value..value.saturating_add(count));
                // Some leave no footer either: every lens has a length.
                found.lens_model = name.and_then(text::from_bytes).filter(|it| it.contains("mm"));
            }
            SHOT_INFO if count > BASE_ISO => {
                let number = |index: usize| word(value.checked_add(index * 2)?);
                found.iso =
                    number(AUTO_ISO).zip(number(BASE_ISO)).and_then(|(auto, base)| iso(auto, base));
            }
            _ => {}
        }
    }
    found
}

/// Both numbers are in 32nds of a stop: the gain over 1, the base over ISO 3.125.
fn iso(auto: u16, base: u16) -> Option<u32> {
    let stops = (f64::from(auto) + f64::from(base)) / 32.0;
    let iso = stops.exp2() * 100.0 / 32.0;
    let in_range = base > 0 && (1.0..=1_000_000.0).contains(&iso);
    // Written out and read, as elsewhere: the house has no casts.
    in_range.then(|| format!("{iso:.0}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lens_and_sensitivity_are_read() {
        let mut note = b"\x02\0".to_vec();
        note.extend(b"\x04\0\x03\0\x04\0\0\0\x1a\0\0\0");
        note.extend(b"\x95\0\x02\0\x07\0\0\0\x22\0\0\0");
        note.extend(b"\x08\0\0\0\x80\0\0\0EF50mm\0");
        let found = read(&note, 0, note.len(), true);
        assert_eq!(found, Canon { lens_model: Some("EF50mm".to_owned()), iso: Some(50) });
    }

    #[test]
    fn a_note_that_was_moved_is_read_where_it_is() {
        let mut block = vec![0; 100];
        block.extend(b"\x01\0\x95\0\x02\0\x07\0\0\0\x12\0\0\0\0\0\0\0EF50mm\0\0");
        // Written for place 0; the name lay at 18.
        block.extend(b"II\x2a\0");
        block.extend(0_u32.to_le_bytes());
        let length = block.len() - 100;
        assert_eq!(read(&block, 100, length, true).lens_model, None);
        let at = block.len() - 4;
        block[at..].copy_from_slice(&4_u32.to_le_bytes());
        let name = 100 + 2 + 8;
        block[name..name + 4].copy_from_slice(&22_u32.to_le_bytes());
        let found = read(&block, 100, length, true);
        assert_eq!(found.lens_model.as_deref(), Some("EF50mm"));
    }

    #[test]
    fn damage_is_nothing() {
        assert_eq!(read(b"\xff\xff\x95", 0, 3, true), Canon::default());
        assert_eq!(read(b"", 7, 0, false), Canon::default());
        assert_eq!(read(b"", usize::MAX, usize::MAX, false), Canon::default());
    }
}
