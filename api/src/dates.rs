//! Dates as Immich writes them: three spellings, and clients compare them letter by letter.

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, Timelike as _, Utc};

/// `2024-01-01T00:00:00.000Z`: what JavaScript's `toISOString` writes.
#[must_use]
pub fn iso(instant: DateTime<Utc>) -> String {
    instant.trunc_subsecs(3).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A wall clock written as if it were UTC.
#[must_use]
pub fn iso_local(local: NaiveDateTime) -> String {
    iso(local.and_utc())
}

/// `2016-09-27T10:51:44+00:00`: what Postgres' JSON writes of a `timestamptz`.
#[must_use]
pub fn postgres(instant: DateTime<Utc>) -> String {
    format!("{}+00:00", postgres_plain(instant))
}

/// `2024-01-01T12:00:00` or `…00.123`: what Postgres' JSON writes of a `timestamp`.
#[must_use]
pub fn postgres_plain(instant: DateTime<Utc>) -> String {
    let seconds = instant.format("%Y-%m-%dT%H:%M:%S").to_string();
    let micros = instant.nanosecond() / 1_000 % 1_000_000;
    if micros == 0 {
        return seconds;
    }
    let fraction = format!("{micros:06}");
    format!("{seconds}.{}", fraction.trim_end_matches('0'))
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
}
