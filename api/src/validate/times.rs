//! Dates and times.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Value, json};

use super::Fields;
use super::issues::received;
use super::spelling::DATETIME_PATTERN;

/// The years that the database, JSON and clients spell with four digits.
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1..=9_999;

/// When something was, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// With an offset from UTC.
    Instant(DateTime<FixedOffset>),
    /// As a clock on the wall showed it, wherever that hung.
    WallClock(NaiveDateTime),
}

impl Fields {
    /// A date and time with an offset, one without, or a date alone, when it is there.
    pub(crate) fn said_datetime(&mut self, name: &str) -> Option<Said> {
        let text = self.values.get(name).and_then(Value::as_str).unwrap_or_default();
        match parse_wall_clock(text) {
            Some(wall_clock) => Some(Said::WallClock(wall_clock)),
            None => self.datetime(name).map(Said::Instant),
        }
    }

    /// A date and time with an offset, when it is there.
    pub fn datetime(&mut self, name: &str) -> Option<DateTime<FixedOffset>> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) => {
                let parsed = parse_datetime(text);
                if parsed.is_none() {
                    self.issue(json!({
                        "origin": "string", "code": "invalid_format", "format": "datetime",
                        "pattern": DATETIME_PATTERN, "path": [name],
                        "message": "Invalid input: expected ISO 8601 datetime string, received string"
                    }));
                }
                parsed
            }
            Some(other) => {
                let received = received(Some(other));
                self.issue(json!({
                    "expected": "string", "code": "invalid_type", "path": [name],
                    "message": format!("Invalid input: expected ISO 8601 datetime string, received {received}")
                }));
                None
            }
        }
    }

    /// A date and time that must be there.
    pub fn required_datetime(&mut self, name: &str) -> Option<DateTime<FixedOffset>> {
        if !self.has(name) {
            self.issue(json!({
                "expected": "string", "code": "invalid_type", "path": [name],
                "message": "Invalid input: expected ISO 8601 datetime string, received undefined"
            }));
        }
        self.datetime(name)
    }
}

fn parse_datetime(text: &str) -> Option<DateTime<FixedOffset>> {
    let (date, _) = text.split_once('T')?;
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|_| date.len() == 10)?;
    let parsed = DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        // Seconds may be left out.
        let at = text.rfind(['Z', '+', '-'])?;
        let (clock, zone) = text.split_at(at);
        DateTime::parse_from_rfc3339(&format!("{clock}:00{zone}")).ok()
    })?;
    let fits = YEARS.contains(&parsed.year()) && YEARS.contains(&parsed.to_utc().year());
    fits.then_some(parsed)
}

/// `2024-01-02`, `2024-01-02T03:04`, `2024-01-02T03:04:05.678`; a blank may stand for the `T`.
fn parse_wall_clock(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let date = Some(date).filter(|date| date.len() == 10)?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let time = ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(time, format).ok())?;
    YEARS.contains(&date.year()).then(|| date.and_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_that_the_database_cannot_spell_are_no_dates() {
        for text in
            ["0000-01-01T00:00:00Z", "9999-12-31T23:59:00-12:00", "0001-01-01T00:00:00+01:00"]
        {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
        assert!(parse_datetime("9999-12-31T23:59:59.999Z").is_some());
    }

    #[test]
    fn wall_clock_has_no_offset() {
        for (text, shown) in [
            ("2024-01-02", Some("2024-01-02 00:00:00")),
            ("2024-01-02T03:04", Some("2024-01-02 03:04:00")),
            ("2024-01-02 03:04:05", Some("2024-01-02 03:04:05")),
            ("2024-01-02T03:04:05.250", Some("2024-01-02 03:04:05.250")),
            ("2024-01-02T03:04:05Z", None),
            ("2024-01-02T03:04:05+02:00", None),
            ("2024-1-2", None),
            ("0000-01-02", None),
            ("2024-02-30", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse_wall_clock(text).map(|it| it.to_string()).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn datetime_needs_an_offset() {
        assert!(parse_datetime("2024-01-02T03:04:05.000Z").is_some());
        assert!(parse_datetime("2024-01-02T03:04+02:00").is_some());
        assert!(parse_datetime("2024-01-02T03:04:05").is_none());
        assert!(parse_datetime("yesterday").is_none());
    }
}
