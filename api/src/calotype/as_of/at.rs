//! The moment that is asked about: an instant, or a position in the log.

use calotype_projections::GlobalPosition;
use calotype_projections::as_of::Moment;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, YEARS};

/// The moment that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::calotype) enum At {
    /// After this many positions of the log.
    Position(i64),
    /// After everything that was recorded by then.
    Instant(DateTime<Utc>),
}

/// The moment that was found.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MomentDto {
    /// The last event that counts, as histories show it; 0 before the first. `null` for callers who are no
    /// administrators and named an instant: how much happens on the server is not theirs to know.
    #[schema(required)]
    position: Option<i64>,
    /// When that event was recorded; `null` before the first, or where it was erased. For callers who are no
    /// administrators the instant that they named.
    #[schema(required, value_type = Option<String>)]
    recorded_at: Option<Instant>,
    #[serde(skip)]
    at: GlobalPosition,
}

/// An instant that is written as all others are.
#[derive(Clone, Copy, Debug)]
struct Instant(DateTime<Utc>);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&dates::iso(self.0))
    }
}

impl MomentDto {
    pub(in crate::calotype) const fn position(self) -> GlobalPosition {
        self.at
    }
}

impl At {
    /// Finds it in the log.
    ///
    /// # Errors
    /// 400 for a position that the log has not come to; to callers who are no administrators such a one is now.
    pub(in crate::calotype) async fn find(
        self,
        api: &Api,
        caller: &Caller,
    ) -> Result<MomentDto, Problem> {
        let is_admin = caller.person().is_admin;
        let found = match self {
            Self::Instant(instant) => {
                Some(api.queries.moment_at(dates::end_of_millisecond(instant)).await?)
            }
            Self::Position(position) => api.queries.moment(position).await?,
        };
        Ok(match (self, found) {
            (_, Some(Moment { position, recorded_at })) if is_admin => MomentDto {
                position: Some(position.get()),
                recorded_at: recorded_at.map(Instant),
                at: position,
            },
            (Self::Position(position), None) if is_admin => {
                let refusal = format!("The log has not come to position {position}");
                return Err(Problem::bad_request(refusal));
            }
            (Self::Position(position), _) => MomentDto {
                position: Some(position),
                recorded_at: None,
                at: GlobalPosition::new(position),
            },
            (Self::Instant(instant), found) => MomentDto {
                position: None,
                recorded_at: Some(Instant(instant)),
                at: found.map_or(GlobalPosition::START, |moment| moment.position),
            },
        })
    }

    fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().filter(|it| *it >= 0).map(Self::Position),
            Value::String(text) => {
                if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return text.parse().ok().map(Self::Position);
                }
                // A day alone is its first moment, as UTC counts days.
                let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
                let instant = match day.filter(|_| text.len() == "2026-01-02".len()) {
                    Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
                    None => DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
                };
                YEARS.contains(&instant.year()).then_some(Self::Instant(instant))
            }
            _ => None,
        }
    }
}

/// The moment that is asked about, which must be said; the beginning of the log with an issue where it is not.
pub(in crate::calotype) fn required_at(fields: &mut Fields) -> At {
    let at = fields.take("at");
    if at.is_none() {
        fields.missing("string", "at");
    }
    let parsed = at.as_ref().map(At::parse);
    if parsed == Some(None) {
        fields.issue(json!({
            "code": "invalid_format", "format": "datetime", "path": ["at"],
            "message": "Invalid input: expected ISO 8601 datetime string or position in the log"
        }));
    }
    parsed.flatten().unwrap_or(At::Position(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        At::parse(&json!(text)).map(|at| match at {
            At::Position(position) => position.to_string(),
            At::Instant(instant) => instant.to_rfc3339(),
        })
    }

    #[test]
    fn a_moment_is_an_instant_a_day_or_a_position() {
        assert_eq!(parsed("12").as_deref(), Some("12"));
        assert_eq!(parsed("2026-01-02").as_deref(), Some("2026-01-02T00:00:00+00:00"));
        assert_eq!(
            parsed("2026-01-02T03:04:05+02:00").as_deref(),
            Some("2026-01-02T01:04:05+00:00")
        );
        assert_eq!(At::parse(&json!(7)), Some(At::Position(7)));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "-1", "yesterday", "2026-01-02T03:04:05", "20260102030405060708090", "1.5"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(At::parse(&json!(-1)), None);
        assert_eq!(At::parse(&json!(null)), None);
    }
}
