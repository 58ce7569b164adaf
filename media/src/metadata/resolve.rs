//! From facts to the three times that clients show: instant, local time, zone.

use chrono::{
    DateTime, Duration, FixedOffset, LocalResult, NaiveDateTime, Offset as _, TimeZone as _, Utc,
};
use chrono_tz::Tz;

use super::facts::Facts;

/// A receiver's time may be this much older than the shutter and still tell the zone, in minutes.
const GPS_LAG_MINUTES_MAX: i64 = 6;

/// Zones lie on quarters of an hour.
const ZONE_STEP_MINUTES: i64 = 15;

/// The times of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedDates {
    /// The instant (Immich's `fileCreatedAt` and `exifInfo.dateTimeOriginal`), to the millisecond.
    pub file_created_at: DateTime<Utc>,
    /// The wall clock of the photographer, written as if it were UTC (Immich's `localDateTime`).
    pub local_date_time: DateTime<Utc>,
    /// `UTC+9`, `UTC`, or a name like `America/Denver`; `None` when nothing is known.
    pub time_zone: Option<String>,
}

/// Finds instant, local time and zone.
///
/// `file_created_at` is what the client said about the file and counts when the file says nothing.
/// `zone_at` gives the zone of a position (latitude, longitude); this room has no map of zones.
/// The order is: offset in the file, zone of the position, difference to the receiver's UTC time,
/// and without all three the local time is taken for UTC, as Immich does.
#[must_use]
pub fn resolve_dates(
    facts: &Facts,
    file_created_at: DateTime<Utc>,
    zone_at: impl Fn(f64, f64) -> Option<Tz>,
) -> ResolvedDates {
    let zone = facts.position.and_then(|it| zone_at(it.latitude, it.longitude));
    let Some(taken) = &facts.taken else {
        return ResolvedDates {
            file_created_at: milliseconds(file_created_at),
            local_date_time: milliseconds(file_created_at),
            time_zone: None,
        };
    };
    let local = taken.local;
    let is_utc = taken.offset_minutes == Some(0);
    // Receivers and MP4 headers know UTC only; the place then tells the photographer's clock.
    if let (true, Some(zone)) = (is_utc && tells_utc(&taken.source_tag), zone) {
        let instant = local.and_utc();
        let clock = instant.with_timezone(&zone).naive_local();
        return resolved(instant, clock, Some(zone.name().to_owned()));
    }
    if let Some(minutes) = taken.offset_minutes {
        return resolved(at_offset(local, minutes), local, Some(offset_name(minutes)));
    }
    if let Some(zone) = zone {
        return resolved(at_zone(local, zone), local, Some(zone.name().to_owned()));
    }
    if let Some(minutes) = facts.gps_time.and_then(|utc| difference(local, utc)) {
        return resolved(at_offset(local, minutes), local, Some(offset_name(minutes)));
    }
    resolved(local.and_utc(), local, None)
}

fn tells_utc(source_tag: &str) -> bool {
    matches!(source_tag, "GPSDateTime" | "CreateDate" | "MediaCreateDate")
}

fn resolved(
    instant: DateTime<Utc>,
    local: NaiveDateTime,
    time_zone: Option<String>,
) -> ResolvedDates {
    ResolvedDates {
        file_created_at: milliseconds(instant),
        local_date_time: milliseconds(local.and_utc()),
        time_zone,
    }
}

fn at_offset(local: NaiveDateTime, minutes: i32) -> DateTime<Utc> {
    FixedOffset::east_opt(minutes * 60)
        .and_then(|offset| offset.from_local_datetime(&local).single())
        .map_or_else(|| local.and_utc(), |it| it.to_utc())
}

/// In an ambiguous hour the earlier instant; in a skipped hour the clock before the change.
fn at_zone(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(it) | LocalResult::Ambiguous(it, _) => it.to_utc(),
        LocalResult::None => {
            let before = zone.from_utc_datetime(&(local - Duration::days(1))).offset().fix();
            at_offset(local, before.local_minus_utc() / 60)
        }
    }
}

/// The zone that makes the camera's clock agree with the receiver's, if one does.
fn difference(local: NaiveDateTime, utc: NaiveDateTime) -> Option<i32> {
    let minutes = (local - utc).num_minutes();
    let steps = (minutes + ZONE_STEP_MINUTES / 2).div_euclid(ZONE_STEP_MINUTES);
    let zone = steps * ZONE_STEP_MINUTES;
    let near = (minutes - zone).abs() <= GPS_LAG_MINUTES_MAX;
    (near && (-12 * 60..=14 * 60).contains(&zone)).then(|| i32::try_from(zone).ok()).flatten()
}

fn offset_name(minutes: i32) -> String {
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let sign = if minutes < 0 { '-' } else { '+' };
    match (hours, rest) {
        (0, 0) => "UTC".to_owned(),
        (_, 0) => format!("UTC{sign}{hours}"),
        _ => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

fn milliseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.timestamp_millis()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Position, Taken};

    fn taken(text: &str, offset_minutes: Option<i32>, tag: &str) -> Facts {
        let local = crate::metadata::parse_date(text).unwrap().0;
        let taken = Taken { local, offset_minutes, source_tag: tag.to_owned() };
        Facts { taken: Some(taken), ..Facts::default() }
    }

    fn shown(facts: &Facts, zone: Option<Tz>) -> (String, String, Option<String>) {
        let mtime = "2024-01-02T03:04:05Z".parse().unwrap();
        let found = resolve_dates(facts, mtime, |_, _| zone);
        let text = |it: DateTime<Utc>| it.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        (text(found.file_created_at), text(found.local_date_time), found.time_zone)
    }

    fn expected(utc: &str, local: &str, zone: Option<&str>) -> (String, String, Option<String>) {
        (utc.to_owned(), local.to_owned(), zone.map(str::to_owned))
    }

    fn denver() -> Option<Position> {
        Some(Position { latitude: 39.0, longitude: -108.0, altitude_m: None })
    }

    #[test]
    fn an_offset_in_the_file_decides() {
        let facts = taken("2007:12:06 14:33:18", Some(540), "SubSecDateTimeOriginal");
        let want = expected("2007-12-06T05:33:18.000Z", "2007-12-06T14:33:18.000Z", Some("UTC+9"));
        assert_eq!(shown(&facts, None), want);
    }

    #[test]
    fn the_position_gives_the_zone() {
        let mut facts = taken("2025:12:01 11:30:00", None, "DateTimeOriginal");
        facts.position = denver();
        let want = expected(
            "2025-12-01T18:30:00.000Z",
            "2025-12-01T11:30:00.000Z",
            Some("America/Denver"),
        );
        assert_eq!(shown(&facts, Some(Tz::America__Denver)), want);
    }

    #[test]
    fn receiver_time_is_utc() {
        let mut facts = taken("2023:11:15 12:30:00", Some(0), "GPSDateTime");
        facts.position = denver();
        let want = expected(
            "2023-11-15T12:30:00.000Z",
            "2023-11-15T04:30:00.000Z",
            Some("America/Los_Angeles"),
        );
        assert_eq!(shown(&facts, Some(Tz::America__Los_Angeles)), want);
    }

    #[test]
    fn receiver_time_tells_the_offset() {
        let mut facts = taken("2022:06:01 14:30:00", None, "DateTimeOriginal");
        facts.gps_time = crate::metadata::parse_date("2022:06:01 12:29:57").map(|it| it.0);
        let want = expected("2022-06-01T12:30:00.000Z", "2022-06-01T14:30:00.000Z", Some("UTC+2"));
        assert_eq!(shown(&facts, None), want);
    }

    #[test]
    fn without_any_zone_local_time_is_utc() {
        let facts = taken("2022:03:31 11:31:56.18", None, "SubSecDateTimeOriginal");
        let want = expected("2022-03-31T11:31:56.180Z", "2022-03-31T11:31:56.180Z", None);
        assert_eq!(shown(&facts, None), want);
    }

    #[test]
    fn without_any_date_the_file_time_counts() {
        let want = expected("2024-01-02T03:04:05.000Z", "2024-01-02T03:04:05.000Z", None);
        assert_eq!(shown(&Facts::default(), None), want);
    }

    #[test]
    fn skipped_and_doubled_hours_have_an_instant() {
        let mut facts = taken("2021:03:28 02:30:00", None, "DateTimeOriginal");
        facts.position = denver();
        let gap = shown(&facts, Some(Tz::Europe__Paris));
        assert_eq!(gap.0, "2021-03-28T01:30:00.000Z");
        let mut facts = taken("2021:10:31 02:30:00", None, "DateTimeOriginal");
        facts.position = denver();
        let overlap = shown(&facts, Some(Tz::Europe__Berlin));
        assert_eq!(overlap.0, "2021-10-31T00:30:00.000Z");
    }

    #[test]
    fn odd_offsets_have_names() {
        assert_eq!(offset_name(345), "UTC+5:45");
        assert_eq!(offset_name(-510), "UTC-8:30");
        assert_eq!(offset_name(840), "UTC+14");
    }
}
