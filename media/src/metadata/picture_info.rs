//! Lines of text in the twelfth application segment of JPEGs from before EXIF (Agfa, Epson,
//! Olympus, Sanyo; about 1998). Names of lines: `ExifTool`'s table "APP12 `PictureInfo`".

use chrono::DateTime;

use super::{
    facts::{Facts, Taken},
    number,
};

/// The line behind which they begin.
const HEAD: &str = "[picture info]";

/// How far into the segment it begins, in bytes.
const HEAD_WITHIN: usize = 64;

/// Lines that are looked at.
const LINES_MAX: usize = 256;

/// Whether a segment has such lines; other programs use its number too.
pub(super) fn is_here(segment: &[u8]) -> bool {
    segment.windows(HEAD.len()).take(HEAD_WITHIN).any(|it| it == HEAD.as_bytes())
}

/// Fills gaps in the facts.
pub(super) fn fill(segment: &[u8], facts: &mut Facts) {
    let words = String::from_utf8_lossy(segment);
    let Some((_, lines)) = words.split_once(HEAD) else { return };
    for (name, value) in lines.lines().take(LINES_MAX).filter_map(|it| it.split_once('=')) {
        match name.trim() {
            // Microseconds.
            "Shutter" if facts.exposure_time.is_none() => {
                let seconds = value.trim().parse::<f64>().ok().map(|it| it / 1e6);
                facts.exposure_time = seconds.and_then(number::exposure);
            }
            "FNumber" if facts.f_number.is_none() => {
                let digits = value.trim().trim_start_matches(['F', 'f']);
                facts.f_number = digits.parse().ok().filter(|it| (0.5..100.0).contains(it));
            }
            "TimeDate" if facts.taken.is_none() => {
                let seconds = value.trim().parse().ok().filter(|it| *it > 0);
                facts.taken =
                    seconds.and_then(|it| DateTime::from_timestamp(it, 0)).map(|it| Taken {
                        local: it.naive_utc(),
                        offset_minutes: None,
                        source_tag: "DateTimeOriginal".to_owned(),
                    });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fill_gaps() {
        let segment = b"[picture info]\r\nTimeDate=915117440\r\nShutter=6460\r\nFNumber=F11\r\n";
        let mut facts = Facts::default();
        fill(segment, &mut facts);
        assert_eq!(facts.exposure_time.as_deref(), Some("1/155"));
        assert_eq!(facts.f_number, Some(11.0));
        assert_eq!(facts.taken.unwrap().local.to_string(), "1998-12-31 15:17:20");
        let mut known = Facts { f_number: Some(2.8), ..Facts::default() };
        fill(segment, &mut known);
        assert_eq!(known.f_number, Some(2.8));
    }

    #[test]
    fn other_lines_are_nothing() {
        assert!(is_here(b"Agfa Gevaert   \0 721\r\n[picture info]\r\n"));
        assert!(!is_here(b"Ducky\0\x01\0"));
        let mut facts = Facts::default();
        fill(b"Ducky\0\x01\0", &mut facts);
        fill(b"[picture info]\nShutter=x\nFNumber=\nTimeDate=99999999999999999999", &mut facts);
        assert_eq!(facts, Facts::default());
    }
}
