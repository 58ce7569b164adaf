//! What a person says about when something was taken, as instant, wall clock and zone.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::validate::{Said, YEARS};

/// Instant, the photographer's wall clock then, and the zone.
pub(super) type Taken = (DateTime<Utc>, NaiveDateTime, Option<String>);

/// A zone as people name it: an IANA name, `UTC+9`, `+09:00`, `Z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// A place's clock, with its summers.
    Named(Tz),
    /// So far from UTC, all year.
    Fixed(FixedOffset),
}

impl Zone {
    /// Reads a zone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let offset = text.strip_prefix("UTC").unwrap_or(text);
        if matches!(offset, "" | "Z") && !text.is_empty() {
            return FixedOffset::east_opt(0).map(Self::Fixed);
        }
        let sign = match offset.as_bytes().first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return text.parse().ok().map(Self::Named),
        };
        let (hours, minutes) = match offset.get(1..)?.split_once(':') {
            Some((hours, minutes)) => (hours, minutes.parse::<i32>().ok()?),
            None => (offset.get(1..)?, 0),
        };
        let hours: i32 = hours.parse().ok()?;
        if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
            return None;
        }
        FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60)).map(Self::Fixed)
    }

    /// The word that is kept: the name of a place, or `UTC+9`.
    fn word(&self) -> String {
        match self {
            Self::Named(zone) => zone.name().to_owned(),
            Self::Fixed(offset) => offset_word(*offset),
        }
    }

    fn wall_clock(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Named(zone) => instant.with_timezone(zone).naive_local(),
            Self::Fixed(offset) => instant.with_timezone(offset).naive_local(),
        }
    }

    /// The instant at which a clock there shows this: the earlier of two where clocks are put back, and an
    /// hour on where they are put forward past it.
    fn instant(&self, wall_clock: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Named(zone) => earliest(zone, wall_clock),
            Self::Fixed(offset) => earliest(offset, wall_clock),
        }
    }
}

fn earliest<Z: TimeZone>(zone: &Z, wall_clock: NaiveDateTime) -> Option<DateTime<Utc>> {
    let after = wall_clock.checked_add_signed(TimeDelta::hours(1))?;
    let found = zone.from_local_datetime(&wall_clock).earliest();
    Some(found.or_else(|| zone.from_local_datetime(&after).earliest())?.to_utc())
}

/// What a person said. A time without an offset is that of the clock in `zone`, and on UTC's where nobody
/// knows a zone; `None` when that is no date any more.
pub(crate) fn said(date: Said, zone: Option<&str>) -> Option<Taken> {
    let wall_clock = match date {
        Said::Instant(date) => return Some(stated(date)),
        Said::WallClock(wall_clock) => wall_clock,
    };
    match zone.and_then(Zone::parse) {
        Some(zone) => on_clock_of(wall_clock, &zone),
        None => Some((wall_clock.and_utc(), wall_clock, None)),
    }
}

/// What the clock of a zone showed.
pub(super) fn on_clock_of(wall_clock: NaiveDateTime, zone: &Zone) -> Option<Taken> {
    let instant = zone.instant(wall_clock).filter(|instant| YEARS.contains(&instant.year()))?;
    Some((instant, zone.wall_clock(instant), Some(zone.word())))
}

/// What a date with an offset says.
pub(super) fn stated(date: DateTime<FixedOffset>) -> Taken {
    (date.to_utc(), date.naive_local(), Some(offset_word(*date.offset())))
}

/// The same instant on another zone's clock; on that of UTC where the other shows a year of five digits or none.
pub(super) fn in_zone(instant: DateTime<Utc>, zone: &Zone) -> Taken {
    let local = Some(zone.wall_clock(instant)).filter(|local| YEARS.contains(&local.year()));
    (instant, local.unwrap_or_else(|| instant.naive_utc()), Some(zone.word()))
}

/// Later by some minutes; `None` when that is no date any more.
pub(super) fn shifted(
    taken_at: DateTime<Utc>,
    local: NaiveDateTime,
    time_zone: Option<String>,
    minutes: i64,
) -> Option<Taken> {
    let delta = TimeDelta::try_minutes(minutes)?;
    let (taken_at, local) = (taken_at.checked_add_signed(delta)?, local.checked_add_signed(delta)?);
    let fits = YEARS.contains(&taken_at.year()) && YEARS.contains(&local.year());
    fits.then_some((taken_at, local, time_zone))
}

/// `UTC`, `UTC+9`, `UTC-3:30`.
fn offset_word(offset: FixedOffset) -> String {
    let seconds = offset.local_minus_utc();
    let (hours, minutes) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60);
    let sign = if seconds < 0 { '-' } else { '+' };
    match (hours, minutes) {
        (0, 0) => "UTC".to_owned(),
        (_, 0) => format!("UTC{sign}{hours}"),
        _ => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_date_keeps_its_wall_clock() {
        let date = DateTime::parse_from_rfc3339("2023-11-19T18:11:00-07:00").unwrap();
        let (taken_at, local, zone) = stated(date);
        assert_eq!(taken_at.to_rfc3339(), "2023-11-20T01:11:00+00:00");
        assert_eq!(local.to_string(), "2023-11-19 18:11:00");
        assert_eq!(zone.as_deref(), Some("UTC-7"));
    }

    #[test]
    fn time_without_an_offset_is_that_of_the_clock_that_is_known() {
        let wall_clock: NaiveDateTime = "2024-07-01T12:00:00".parse().unwrap();
        let of = |zone| said(Said::WallClock(wall_clock), zone).unwrap();
        for (zone, instant, word) in [
            (Some("Europe/Berlin"), "2024-07-01T10:00:00+00:00", Some("Europe/Berlin")),
            (Some("UTC-7"), "2024-07-01T19:00:00+00:00", Some("UTC-7")),
            (Some("no zone"), "2024-07-01T12:00:00+00:00", None),
            (None, "2024-07-01T12:00:00+00:00", None),
        ] {
            let (taken_at, local, found) = of(zone);
            assert_eq!(taken_at.to_rfc3339(), instant, "{zone:?}");
            assert_eq!((local, found.as_deref()), (wall_clock, word), "{zone:?}");
        }
    }

    #[test]
    fn hour_that_clocks_leave_out_is_the_next_one() {
        let left_out: NaiveDateTime = "2024-03-31T02:30:00".parse().unwrap();
        let (instant, local, _) = said(Said::WallClock(left_out), Some("Europe/Berlin")).unwrap();
        assert_eq!(instant.to_rfc3339(), "2024-03-31T01:30:00+00:00");
        assert_eq!(local.to_string(), "2024-03-31 03:30:00");
    }

    #[test]
    fn zones_are_read_as_people_write_them() {
        for (text, word) in [
            ("Europe/Berlin", Some("Europe/Berlin")),
            ("UTC+9", Some("UTC+9")),
            ("+05:30", Some("UTC+5:30")),
            ("UTC-3:30", Some("UTC-3:30")),
            ("UTC", Some("UTC")),
            ("Z", Some("UTC")),
            ("", None),
            ("Mars/Olympus", None),
            ("+99:00", None),
        ] {
            assert_eq!(Zone::parse(text).map(|zone| zone.word()).as_deref(), word, "{text:?}");
        }
    }

    #[test]
    fn zone_moves_the_wall_clock_and_not_the_instant() {
        let instant: DateTime<Utc> = "2024-07-01T10:00:00Z".parse().unwrap();
        let (taken_at, local, _) = in_zone(instant, &Zone::parse("Europe/Berlin").unwrap());
        assert_eq!(taken_at, instant);
        assert_eq!(local.to_string(), "2024-07-01 12:00:00");
    }

    #[test]
    fn shift_beyond_the_calendar_is_refused() {
        let instant: DateTime<Utc> = "2024-07-01T10:00:00Z".parse().unwrap();
        assert!(shifted(instant, instant.naive_utc(), None, 60).is_some());
        assert!(shifted(instant, instant.naive_utc(), None, i64::MAX).is_none());
        assert!(shifted(instant, instant.naive_utc(), None, 5_000_000_000).is_none());
        assert!(shifted(instant, instant.naive_utc(), None, 9_007_199_254_740_991).is_none());
    }
}
