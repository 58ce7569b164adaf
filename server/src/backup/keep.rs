//! How long something is kept, as people write it: `30d`, `12h`, `4w`.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

/// A span of whole hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keep(TimeDelta);

/// A text is no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is a whole number of hours, days or weeks: 12h, 30d, 4w")]
pub(super) struct NoKeep;

/// The longest: a hundred years.
const HOURS_MAX: i64 = 100 * 366 * 24;

impl Keep {
    /// When something ends that begins now.
    pub(super) fn until(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.0
    }
}

impl FromStr for Keep {
    type Err = NoKeep;

    fn from_str(text: &str) -> Result<Self, NoKeep> {
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(NoKeep)?;
        let hours = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 7 * 24,
            _ => return Err(NoKeep),
        };
        let number: u32 = number.parse().map_err(|_| NoKeep)?;
        let hours = i64::from(number) * hours;
        TimeDelta::try_hours(hours).filter(|_| hours <= HOURS_MAX).map(Self).ok_or(NoKeep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, hours) in [("0d", 0), ("12h", 12), ("30d", 720), ("4w", 672)] {
            assert_eq!(text.parse(), Ok(Keep(TimeDelta::hours(hours))), "{text}");
        }
        for text in ["", "d", "30", "-1d", "1.5d", "30m", "99999999w", "1ä"] {
            assert_eq!(text.parse::<Keep>(), Err(NoKeep), "{text}");
        }
    }
}
