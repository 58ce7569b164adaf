//! The clock: events, sessions and leases go by it.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::findings::{Findings, age};
use calotype_domain::Clock as _;

/// The clocks of two machines may differ by this, in seconds; a lease lasts five.
const APART_SECONDS_MAX: f64 = 2.0;
/// Events may be ahead of the clock by this, in seconds.
const AHEAD_SECONDS_MAX: f64 = 60.0;

pub(super) async fn look(pool: &PgPool, findings: &mut Findings) {
    let before = crate::clock::SystemClock.now();
    let theirs: DateTime<Utc> =
        match sqlx::query_scalar("select clock_timestamp()").fetch_one(pool).await {
            Ok(theirs) => theirs,
            Err(error) => {
                findings.problem(&format!("the database does not tell its time: {error}"));
                return;
            }
        };
    let after = crate::clock::SystemClock.now();
    let apart = apart(before, theirs, after);
    if apart > APART_SECONDS_MAX {
        findings.problem(&format!(
            "the clocks of this machine and of the database's are {} apart: let both follow a time \
             server",
            age(apart)
        ));
    } else {
        findings.good("the clocks of this machine and of the database's agree");
    }
    let newest: Option<DateTime<Utc>> = sqlx::query_scalar(
        "select events.recorded_at
           from log.positions as positions
           join log.events as events using (event_id)
          order by positions.position desc
          limit 1",
    )
    .fetch_optional(pool)
    .await
    .unwrap_or_default();
    let ahead = newest.map_or(0.0, |newest| (newest - after).as_seconds_f64());
    if ahead > AHEAD_SECONDS_MAX {
        findings.problem(&format!(
            "the last event was recorded {} from now: the clock was put back, or was wrong then",
            age(ahead)
        ));
    }
}

/// How far a clock that was read between two looks at ours is outside of them, in seconds.
fn apart(before: DateTime<Utc>, theirs: DateTime<Utc>, after: DateTime<Utc>) -> f64 {
    let behind = (before - theirs).as_seconds_f64();
    let ahead = (theirs - after).as_seconds_f64();
    behind.max(ahead).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_the_answer_took_is_not_held_against_a_clock() {
        let at = |second: i64| DateTime::<Utc>::from_timestamp(second, 0).unwrap();
        assert!(apart(at(0), at(3), at(5)) < f64::EPSILON);
        assert!((apart(at(10), at(3), at(12)) - 7.0).abs() < 1e-9);
        assert!((apart(at(10), at(20), at(12)) - 8.0).abs() < 1e-9);
    }
}
