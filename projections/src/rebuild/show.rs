//! How read models and their rebuilds stand, for people.

use calotype_eventstore::EventStore;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use sqlx::types::Json;

use super::compare::{Comparison, Example};
use super::fill::Failure;
use super::record::{self, Record, Stage, State, Wish};
use super::{named, target};
use crate::error::ProjectionError;
use crate::parked;
use crate::projection::{Projection, all, checkpoint_name};
use crate::runner::checkpoint;

/// How a projection stands.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u16,
    /// The position it has applied.
    pub position: i64,
    /// Events of the log it has not applied yet.
    pub lag_events: i64,
    /// Streams parked for it.
    pub parked_streams: i64,
    /// Its last rebuild, without examples.
    pub rebuild: Option<Rebuild>,
}

/// The last rebuild of a projection.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rebuild {
    /// The projection.
    pub name: String,
    /// The version that is built.
    pub version: u16,
    /// What is wished.
    pub wish: Wish,
    /// How it is.
    pub state: State,
    /// What it is at, or was at last.
    pub stage: Stage,
    /// The position of the log that it has taken in.
    pub position: i64,
    /// The position that it has to reach: that of the live one.
    pub target: i64,
    /// Positions of the log that were passed.
    pub events: i64,
    /// Events a second, since it was begun or resumed.
    pub events_per_second: f64,
    /// The most events a second that it may take.
    pub events_per_second_max: Option<u32>,
    /// Seconds until it has taken in the log; nothing where it does not move.
    pub seconds_left: Option<f64>,
    /// When it was begun.
    pub began_at: DateTime<Utc>,
    /// When it stopped, for whatever reason.
    pub stopped_at: Option<DateTime<Utc>>,
    /// The event that it cannot apply.
    pub failure: Option<Failure>,
    /// What differed between both generations.
    pub comparison: Option<Comparison>,
    /// Some rows that differed.
    pub examples: Vec<Example>,
    /// The generation that was live before the last switch.
    pub previous: Option<Previous>,
}

/// A generation that is not live any more.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// The position of the log that it has taken in.
    pub position: i64,
    /// When it was switched away from.
    pub since: DateTime<Utc>,
}

/// How every projection stands.
///
/// # Errors
/// What the database said.
pub async fn list(pool: &PgPool, store: &dyn EventStore) -> Result<Vec<Status>, ProjectionError> {
    let head = store.head().await?.get();
    let mut records = record::all(pool).await?;
    let mut db = pool.acquire().await?;
    let mut statuses = Vec::new();
    for projection in all() {
        let name = checkpoint_name(&*projection);
        let position = checkpoint(&mut db, &name).await?.get();
        let parked = parked::streams_in_tx(&mut db, &name).await?.len();
        let record = records.iter().position(|record| record.name == name);
        let rebuild = record.map(|index| records.swap_remove(index)).map(|mut record| {
            record.examples = None;
            shown(&*projection, record, if position == 0 { head } else { position })
        });
        statuses.push(Status {
            name: projection.name().to_owned(),
            version: projection.version(),
            position,
            lag_events: head - position,
            parked_streams: i64::try_from(parked).unwrap_or(i64::MAX),
            rebuild,
        });
    }
    Ok(statuses)
}

/// The last rebuild of a projection; none where there was none.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`], and what the database said.
pub async fn rebuild_of(
    pool: &PgPool,
    store: &dyn EventStore,
    name: &str,
) -> Result<Option<Rebuild>, ProjectionError> {
    let projection = named(name)?;
    let checkpoint = checkpoint_name(&*projection);
    let Some(record) = record::of(pool, &checkpoint).await? else { return Ok(None) };
    let mut db = pool.acquire().await?;
    let target = target(&mut db, store, &checkpoint).await?;
    Ok(Some(shown(&*projection, record, target.get())))
}

fn shown(projection: &dyn Projection, record: Record, target: i64) -> Rebuild {
    let state = record.state();
    let position = record.position().get();
    let is_under_way = state.is_under_way();
    let target = if is_under_way { target.max(position) } else { position };
    Rebuild {
        name: projection.name().to_owned(),
        version: projection.version(),
        wish: record.wish(),
        state,
        stage: record.stage(),
        position,
        target,
        events: record.events,
        events_per_second: record.rate,
        events_per_second_max: record
            .events_per_second_max
            .and_then(|rate| u32::try_from(rate).ok()),
        seconds_left: (state == State::Running)
            .then(|| seconds_left(target - position, record.rate))
            .flatten(),
        began_at: record.began_at,
        stopped_at: record.stopped_at,
        failure: record.failure.map(|Json(failure)| failure),
        comparison: record.comparison.map(|Json(comparison)| comparison),
        examples: record.examples.map(|Json(examples)| examples).unwrap_or_default(),
        previous: record
            .previous_position
            .zip(record.previous_since)
            .map(|(position, since)| Previous { position, since }),
    }
}

/// At this rate, in events a second.
fn seconds_left(events: i64, rate: f64) -> Option<f64> {
    let events = f64::from(i32::try_from(events).unwrap_or(i32::MAX));
    (rate > 0.0).then(|| (events / rate).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_goes_by_the_rate() {
        assert_eq!(seconds_left(1_000, 100.0), Some(10.0));
        assert_eq!(seconds_left(0, 100.0), Some(0.0));
        assert_eq!(seconds_left(1_000, 0.0), None, "it does not move");
    }
}
