//! Dates as files write them: EXIF, ISO 8601, XMP, IPTC, with and without fraction and zone.

use chrono::{NaiveDate, NaiveDateTime};

/// Largest offset that a zone on earth has, in minutes.
const OFFSET_MINUTES_MAX: i32 = 14 * 60;

/// A date and time with the offset that stood behind it, in minutes.
pub(crate) type Stamp = (NaiveDateTime, Option<i32>);

/// Reads `YYYY:MM:DD HH:MM[:SS[.fraction]][zone]`, also with `-` in the date and `T` between.
///
/// `None` for blanks, zeros, impossible days, and dates without a time of day.
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    let text = text.trim_matches(|it: char| it.is_whitespace() || it == '\0');
    let date = text.get(..10)?;
    let bytes = date.as_bytes();
    if !matches!(bytes[4], b':' | b'-') || bytes[7] != bytes[4] {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(
        digits(date.get(..4)?)?.try_into().ok()?,
        digits(date.get(5..7)?)?,
        digits(date.get(8..10)?)?,
    )
    .filter(|_| date.get(..4) != Some("0000"))?;
    let clock = text.get(10..)?.strip_prefix(['T', 't', ' '])?.trim_start();
    let hour = digits(clock.get(..2)?)?;
    let minute = digits(clock.get(2..)?.strip_prefix(':')?.get(..2)?)?;
    let mut rest = clock.get(5..)?;
    let mut second = 0;
    let mut nanos = 0;
    if let Some(after) = rest.strip_prefix(':') {
        second = digits(after.get(..2)?)?;
        rest = after.get(2..)?;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            nanos = nanoseconds(fraction.get(..length)?);
            rest = fraction.get(length..)?;
        }
    }
    // A leap second has no place in most programs; the second before it is near enough.
    let local = day.and_hms_nano_opt(hour, minute, second.min(59), nanos)?;
    // A zone that lost its sign (`20:27:09.60:04:00`) spoils the whole: it may be east or west.
    let is_clean = !rest.starts_with(':');
    (second <= 60 && is_clean).then(|| (local, offset(rest)))
}

/// Reads `Z`, `+HH:MM`, `-HHMM` or `+HH`, in minutes east of UTC. `None` if it is none of these.
pub(crate) fn offset(text: &str) -> Option<i32> {
    let text = text.trim_matches(|it: char| it.is_whitespace() || it == '\0');
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        1 | 2 => (rest, "0"),
        4 => (rest.get(..2)?, rest.get(2..)?),
        5 => (rest.get(..2)?, rest.get(2..)?.strip_prefix(':')?),
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let total = i32::try_from(hours * 60 + minutes).ok()?;
    (minutes < 60 && total <= OFFSET_MINUTES_MAX).then_some(sign * total)
}

/// Nanoseconds of a fraction's digits: `5` is half a second.
pub(crate) fn nanoseconds(fraction: &str) -> u32 {
    fraction
        .bytes()
        .take_while(u8::is_ascii_digit)
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

fn digits(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|it| it.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        parse(text).map(|(local, offset)| format!("{local:?} {offset:?}"))
    }

    #[test]
    fn dates_of_every_style_are_read() {
        assert_eq!(shown("2021:05:06 07:08:09").as_deref(), Some("2021-05-06T07:08:09 None"));
        assert_eq!(
            shown("2022-07-08T09:10:11.987+02:00").as_deref(),
            Some("2022-07-08T09:10:11.987 Some(120)")
        );
        assert_eq!(shown("2022-01-01T00:00Z").as_deref(), Some("2022-01-01T00:00:00 Some(0)"));
        assert_eq!(shown("1899:07:14 12:00:00").as_deref(), Some("1899-07-14T12:00:00 None"));
        assert_eq!(shown("2016:12:31 23:59:60").as_deref(), Some("2016-12-31T23:59:59 None"));
        assert_eq!(shown("2022:03:04 05:06:07 what").as_deref(), Some("2022-03-04T05:06:07 None"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let bad = [
            "",
            "    :  :     :  :  ",
            "0000:00:00 00:00:00",
            "2021:02:30 10:00:00",
            "2013",
            "2009-07",
            "2004:02:20",
            "2009:09:09 20:27:09.60:04:00",
            "garbage",
            "2021/05/06 07:08:09",
            "2021:05:06 25:00:00",
            "2021:05:06 10:00:61",
            "äöü:äö:äö",
        ];
        for text in bad {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn offsets_are_read() {
        assert_eq!(offset("+14:00"), Some(840));
        assert_eq!(offset("-0830"), Some(-510));
        assert_eq!(offset("+05:45\0"), Some(345));
        assert_eq!(offset("+99:00"), None);
        assert_eq!(offset("CEST"), None);
    }
}
