//! Dates as Immich writes them: three spellings, and clients compare them letter by letter.
//!
//! A page of found assets has hundreds of them, so the years that there are photos of are written digit by digit.

use chrono::{
    DateTime, Datelike as _, NaiveDateTime, SubsecRound as _, TimeDelta, Timelike as _, Utc,
};

/// Nanoseconds from which on a second is a leap second.
const LEAP_NANOS: u32 = 1_000_000_000;

/// `2024-01-01T00:00:00.000Z`: what JavaScript's `toISOString` writes.
#[must_use]
pub fn iso(instant: DateTime<Utc>) -> String {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    if !wall(&mut text, instant) {
        return instant.trunc_subsecs(3).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    }
    let millis = instant.nanosecond() / 1_000_000;
    put(&mut text, 20, [millis / 100, millis / 10, millis]);
    spelled(&text)
}

/// The last microsecond of the millisecond that [`iso`] writes of an instant: whoever gives back what they were told
/// means all of it.
#[must_use]
pub fn end_of_millisecond(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(3) + TimeDelta::microseconds(999)
}

/// A wall clock written as if it were UTC.
#[must_use]
pub fn iso_local(local: NaiveDateTime) -> String {
    iso(local.and_utc())
}

/// `2016-09-27T10:51:44+00:00`: what Postgres' JSON writes of a `timestamptz`.
#[must_use]
pub fn postgres(instant: DateTime<Utc>) -> String {
    let mut text = postgres_plain(instant);
    text.push_str("+00:00");
    text
}

/// `2024-01-01T12:00:00` or `…00.123`: what Postgres' JSON writes of a `timestamp`.
#[must_use]
pub fn postgres_plain(instant: DateTime<Utc>) -> String {
    let mut text = *b"0000-00-00T00:00:00";
    let mut text = if wall(&mut text, instant) {
        spelled(&text)
    } else {
        instant.format("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let micros = instant.nanosecond() / 1_000 % 1_000_000;
    if micros > 0 {
        let fraction = format!(".{micros:06}");
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

/// Writes date and time over the zeros of a pattern; not where a year has more or less than four digits, and
/// no leap second.
fn wall(text: &mut [u8], instant: DateTime<Utc>) -> bool {
    let Ok(year @ 0..=9_999) = u32::try_from(instant.year()) else { return false };
    if instant.nanosecond() >= LEAP_NANOS {
        return false;
    }
    put(text, 0, [year / 1_000, year / 100, year / 10, year]);
    for (at, value) in [
        (5, instant.month()),
        (8, instant.day()),
        (11, instant.hour()),
        (14, instant.minute()),
        (17, instant.second()),
    ] {
        put(text, at, [value / 10, value]);
    }
    true
}

/// Writes the last digit of each number, one behind the other.
fn put<const N: usize>(text: &mut [u8], at: usize, numbers: [u32; N]) {
    for (place, number) in text.iter_mut().skip(at).zip(numbers) {
        *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
    }
}

fn spelled(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn iso_has_three_digits() {
        assert_eq!(iso(at("2024-01-01T00:00:00Z")), "2024-01-01T00:00:00.000Z");
        assert_eq!(iso(at("2024-01-01T00:00:00.123456Z")), "2024-01-01T00:00:00.123Z");
    }

    #[test]
    fn postgres_drops_what_is_zero() {
        assert_eq!(postgres(at("2016-09-27T10:51:44Z")), "2016-09-27T10:51:44+00:00");
        assert_eq!(postgres(at("2019-03-21T16:04:22.348Z")), "2019-03-21T16:04:22.348+00:00");
        assert_eq!(postgres_plain(at("2026-11-22T08:24:16.970428Z")), "2026-11-22T08:24:16.970428");
    }

    #[test]
    fn digits_are_those_that_chrono_writes() {
        for text in [
            "2026-11-22T08:24:16.970428Z",
            "1969-12-31T23:59:59.999999999Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.9Z",
            "-0001-02-03T04:05:06.789Z",
            "+12345-01-01T00:00:00Z",
            "2016-12-31T23:59:60.5Z",
        ] {
            let instant = at(text);
            let slow = instant.trunc_subsecs(3).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            assert_eq!(iso(instant), slow);
            let slow = instant.format("%Y-%m-%dT%H:%M:%S").to_string();
            assert!(postgres_plain(instant).starts_with(&slow), "{slow}");
        }
    }
}
