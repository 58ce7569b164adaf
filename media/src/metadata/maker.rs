//! Maker notes of cameras older than EXIF 2.2: what they say of the exposure and EXIF does not.
//!
//! Names of tags and formulas: `ExifTool`'s tables "Casio", "Pentax", "Minolta `CameraSettings`" and
//! "Kodak". Canon's notes are in [`super::canon`].

/// Sensitivity in notes of Casio's older and of Pentax's form.
const ISO: u16 = 0x0014;

/// The same in Casio's newer form.
const CASIO_ISO: u16 = 0x3014;

/// Minolta's settings, of older and newer cameras.
const MINOLTA_SETTINGS: [u16; 2] = [0x0001, 0x0003];

/// Places in them, in 32-bit numbers: sensitivity, exposure, aperture.
const MINOLTA_ISO: usize = 8;
const MINOLTA_EXPOSURE: usize = 9;
const MINOLTA_F_NUMBER: usize = 10;

/// Places in Kodak's note, in bytes behind its name: aperture in hundredths, exposure in hundred
/// thousandths of a second, sensitivity.
const KODAK_F_NUMBER: usize = 0x1e;
const KODAK_EXPOSURE: usize = 0x20;
const KODAK_ISO: usize = 0x60;

/// Entries of a directory that are looked at.
const ENTRIES_MAX: u16 = 256;

/// Sensitivities that are believed; smaller numbers are places in tables of the makers.
const ISO_RANGE: std::ops::RangeInclusive<u32> = 25..=102_400;

/// What is used of a maker note.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Made {
    pub(super) iso: Option<u32>,
    pub(super) f_number: Option<f64>,
    pub(super) exposure_seconds: Option<f64>,
    /// Whether aperture and exposure are finer than those of EXIF, which the camera rounds.
    pub(super) is_finer: bool,
}

/// Where a note lies in the block that its offsets count in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note<'a> {
    pub(super) block: &'a [u8],
    pub(super) at: usize,
    pub(super) is_little: bool,
}

/// Reads the note of a maker. What is damaged or unknown is left out.
pub(super) fn read(maker: &str, note: Note<'_>) -> Made {
    let maker = maker.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|it| maker.starts_with(it));
    if is(&["casio"]) {
        casio(note)
    } else if is(&["asahi", "pentax"]) {
        pentax(note)
    } else if is(&["minolta", "konica minolta"]) {
        minolta(note)
    } else if is(&["eastman kodak", "kodak"]) {
        kodak(note)
    } else {
        Made::default()
    }
}

fn casio(note: Note<'_>) -> Made {
    let is_newer = note.starts_with(b"QVC\0") || note.starts_with(b"DCI\0");
    let iso = if is_newer {
        Note { is_little: false, ..note.behind(6) }.number(CASIO_ISO)
    } else {
        note.number(ISO)
    };
    Made { iso: iso.filter(|it| ISO_RANGE.contains(it)), ..Made::default() }
}

fn pentax(note: Note<'_>) -> Made {
    let iso = if note.starts_with(b"AOC\0") {
        let is_little = note.bytes(4).is_some_and(|it: [u8; 2]| it == *b"II");
        Note { is_little, ..note.behind(6) }.number(ISO)
    } else {
        note.number(ISO)
    };
    Made { iso: iso.filter(|it| ISO_RANGE.contains(it)), ..Made::default() }
}

/// Stops over ISO 3.125, below a second, and over 1 (half stops), in eighths.
fn minolta(note: Note<'_>) -> Made {
    let settings = MINOLTA_SETTINGS.into_iter().find_map(|tag| note.value_at(tag));
    // Big-endian in cameras of either order.
    let number = |index: usize| {
        let at = settings?.checked_add(index * 4)?;
        let bytes = note.block.get(at..)?.first_chunk::<4>()?;
        Some(f64::from(u32::from_be_bytes(*bytes))).filter(|it| (1.0..=255.0).contains(it))
    };
    let iso = number(MINOLTA_ISO).map(|it| ((it - 48.0) / 8.0).exp2() * 100.0);
    Made {
        iso: iso.and_then(|it| format!("{it:.0}").parse().ok()).filter(|it| ISO_RANGE.contains(it)),
        f_number: number(MINOLTA_F_NUMBER).map(|it| ((it - 8.0) / 16.0).exp2()),
        exposure_seconds: number(MINOLTA_EXPOSURE).map(|it| ((48.0 - it) / 8.0).exp2()),
        is_finer: false,
    }
}

fn kodak(note: Note<'_>) -> Made {
    if !note.starts_with(b"KDK") {
        return Made::default();
    }
    let fields = Note { is_little: !note.starts_with(b"KDK INFO"), ..note.behind(8) };
    let short = |at: usize| fields.bytes(at).map(|it| fields.short(it));
    let long = |at: usize| fields.bytes(at).map(|it| fields.long(it));
    let positive = |it: &u32| *it > 0;
    Made {
        iso: short(KODAK_ISO).map(u32::from).filter(|it| ISO_RANGE.contains(it)),
        f_number: short(KODAK_F_NUMBER).filter(|it| *it > 0).map(|it| f64::from(it) / 100.0),
        exposure_seconds: long(KODAK_EXPOSURE).filter(positive).map(|it| f64::from(it) / 1e5),
        is_finer: true,
    }
}

impl Note<'_> {
    fn starts_with(self, name: &[u8]) -> bool {
        self.block.get(self.at..).is_some_and(|it| it.starts_with(name))
    }

    fn behind(self, bytes: usize) -> Self {
        Self { at: self.at.saturating_add(bytes), ..self }
    }

    fn bytes<const LENGTH: usize>(self, at: usize) -> Option<[u8; LENGTH]> {
        self.block.get(self.at.checked_add(at)?..)?.first_chunk().copied()
    }

    fn short(self, bytes: [u8; 2]) -> u16 {
        if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    fn long(self, bytes: [u8; 4]) -> u32 {
        if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    /// Where the entry of a tag has its value, or the place of it, counted from the note.
    fn entry(self, tag: u16) -> Option<usize> {
        let count = self.short(self.bytes(0)?).min(ENTRIES_MAX);
        let places = (0..count).map(|it| 2 + usize::from(it) * 12);
        places
            .into_iter()
            .find(|at| self.bytes(*at).map(|it| self.short(it)) == Some(tag))
            .map(|at| at + 8)
    }

    /// A number of 16 bits in the directory itself.
    fn number(self, tag: u16) -> Option<u32> {
        Some(u32::from(self.short(self.bytes(self.entry(tag)?)?)))
    }

    /// Where the value of a tag lies in the block.
    fn value_at(self, tag: u16) -> Option<usize> {
        usize::try_from(self.long(self.bytes(self.entry(tag)?)?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(block: &[u8]) -> Note<'_> {
        Note { block, at: 0, is_little: false }
    }

    #[test]
    fn casio_states_its_sensitivity_in_two_forms() {
        let older = b"\0\x01\0\x14\0\x03\0\0\0\x01\0\x40\0\0";
        assert_eq!(read("CASIO", note(older)).iso, Some(64));
        let newer = b"QVC\0\0\0\0\x01\x30\x14\0\x03\0\0\0\x01\0\x32\0\0";
        assert_eq!(read("CASIO COMPUTER CO.,LTD", note(newer)).iso, Some(50));
    }

    #[test]
    fn a_place_in_a_table_is_no_sensitivity() {
        let index = b"AOC\0MM\0\x01\0\x14\0\x03\0\0\0\x01\0\x06\0\0";
        assert_eq!(read("Asahi Optical Co.,Ltd", note(index)).iso, None);
    }

    #[test]
    fn minolta_counts_in_eighths_of_stops() {
        let mut block = b"\0\x01\0\x03\0\x07\0\0\0\x2c\0\0\0\x0e".to_vec();
        for value in [0_u32, 0, 0, 0, 0, 0, 0, 0, 48, 104, 40] {
            block.extend(value.to_be_bytes());
        }
        let found = read("Minolta Co., Ltd.", note(&block));
        assert_eq!(found.iso, Some(100));
        assert_eq!(found.f_number, Some(4.0));
        assert_eq!(found.exposure_seconds, Some(1.0 / 128.0));
    }

    #[test]
    fn kodak_is_finer_than_exif() {
        let mut block = b"KDK INFO".to_vec();
        block.resize(8 + 0x62, 0);
        block[8 + 0x1e..8 + 0x24].copy_from_slice(b"\x02\xa1\0\0\x01\xd0");
        block[8 + 0x60..].copy_from_slice(b"\0\x6c");
        let found = read("EASTMAN KODAK COMPANY", note(&block));
        assert_eq!((found.iso, found.f_number), (Some(108), Some(6.73)));
        assert_eq!(found.exposure_seconds, Some(0.004_64));
        assert!(found.is_finer);
    }

    #[test]
    fn damage_is_nothing() {
        for maker in ["casio", "pentax", "minolta", "kodak", "nobody"] {
            for block in [&b""[..], b"\xff\xff", b"KDK INFO", b"QVC\0", b"AOC\0II\xff\xff"] {
                assert_eq!(read(maker, note(block)).iso, None, "{maker}");
            }
            assert_eq!(read(maker, Note { at: usize::MAX, ..note(b"") }).iso, None);
        }
    }
}
