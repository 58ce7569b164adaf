//! How read models and their rebuilds are answered.

use calotype_projections::rebuild::{
    Comparison, Example, Failure, Rebuild, Stage, State, Status, TableComparison, Wish,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;

/// How a projection stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionStatus {
    name: String,
    version: u16,
    /// The position of the log it has applied.
    position: i64,
    /// Events it has not applied yet.
    lag_events: i64,
    /// Streams it could not apply.
    parked_streams: i64,
    /// Its last rebuild, without examples.
    #[schema(required)]
    rebuild: Option<ProjectionRebuild>,
}

impl From<Status> for ProjectionStatus {
    fn from(status: Status) -> Self {
        Self {
            name: status.name,
            version: status.version,
            position: status.position,
            lag_events: status.lag_events,
            parked_streams: status.parked_streams,
            rebuild: status.rebuild.map(ProjectionRebuild::from),
        }
    }
}

/// The last rebuild of a projection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionRebuild {
    name: String,
    /// The version that is built.
    version: u16,
    /// `rebuild`, `diff` or `rollback`.
    wish: &'static str,
    /// `running`, `paused`, `failed`, `done` or `discarded`.
    state: &'static str,
    /// `filling`, `indexing`, `comparing` or `switching`.
    stage: &'static str,
    /// The position of the log that it has taken in.
    position: i64,
    /// The position that it has to reach.
    target: i64,
    /// Positions of the log that were passed.
    events: i64,
    /// Events a second, since it was begun or resumed.
    events_per_second: f64,
    /// The most events a second that it may take.
    #[schema(required)]
    events_per_second_max: Option<u32>,
    /// Until it has taken in the log; `null` where it does not move.
    #[schema(required)]
    seconds_left: Option<f64>,
    began_at: String,
    /// When it stopped, for whatever reason; `null` while it runs.
    #[schema(required)]
    stopped_at: Option<String>,
    /// What it cannot apply.
    #[schema(required)]
    failure: Option<ProjectionRebuildFailure>,
    /// What differed between both generations, at the same position.
    #[schema(required)]
    comparison: Option<ProjectionComparison>,
    /// Some rows that differed, at most ten of each table; an hour later they are gone.
    examples: Vec<ProjectionExample>,
    /// The generation that was live before the last switch.
    #[schema(required)]
    previous: Option<PreviousProjection>,
}

/// What a rebuild stopped at.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionRebuildFailure {
    /// The event; `null` where it was something else.
    #[schema(required)]
    event_id: Option<Uuid>,
    #[schema(required)]
    position: Option<i64>,
    #[schema(required)]
    stream_id: Option<String>,
    #[schema(required)]
    event_type: Option<String>,
    /// Why, without values of the event.
    reason: String,
}

/// Both generations, compared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionComparison {
    /// The position of the log at which both stood.
    position: i64,
    /// Whether both hold the same rows.
    is_same: bool,
    tables: Vec<ProjectionTableComparison>,
}

/// A table of both generations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionTableComparison {
    table: String,
    live_rows: i64,
    next_rows: i64,
    /// Keys that only the live one has.
    only_live: i64,
    /// Keys that only the next one has.
    only_next: i64,
    /// Keys that both have, with other values.
    different: i64,
}

/// A row that differed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionExample {
    table: String,
    /// Its primary key.
    #[schema(value_type = Object)]
    key: Value,
    /// The live row; `null` where there is none. What opens something is hidden, what is long is cut.
    #[schema(required, value_type = Object, nullable)]
    live: Option<Value>,
    /// The next row.
    #[schema(required, value_type = Object, nullable)]
    next: Option<Value>,
    /// Columns whose values differ, where both have the row.
    columns: Vec<String>,
}

/// A generation that is not live any more.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviousProjection {
    /// The position of the log that it has taken in.
    position: i64,
    /// When it was switched away from.
    since: String,
}

impl From<Rebuild> for ProjectionRebuild {
    fn from(rebuild: Rebuild) -> Self {
        Self {
            name: rebuild.name,
            version: rebuild.version,
            wish: Wish::as_str(rebuild.wish),
            state: State::as_str(rebuild.state),
            stage: Stage::as_str(rebuild.stage),
            position: rebuild.position,
            target: rebuild.target,
            events: rebuild.events,
            events_per_second: rebuild.events_per_second,
            events_per_second_max: rebuild.events_per_second_max,
            seconds_left: rebuild.seconds_left,
            began_at: dates::iso(rebuild.began_at),
            stopped_at: rebuild.stopped_at.map(dates::iso),
            failure: rebuild.failure.map(ProjectionRebuildFailure::from),
            comparison: rebuild.comparison.map(ProjectionComparison::from),
            examples: rebuild.examples.into_iter().map(ProjectionExample::from).collect(),
            previous: rebuild.previous.map(|previous| PreviousProjection {
                position: previous.position,
                since: dates::iso(previous.since),
            }),
        }
    }
}

impl From<Failure> for ProjectionRebuildFailure {
    fn from(failure: Failure) -> Self {
        let Failure { event_id, position, stream_id, event_type, reason } = failure;
        Self { event_id, position, stream_id, event_type, reason }
    }
}

impl From<Comparison> for ProjectionComparison {
    fn from(comparison: Comparison) -> Self {
        let is_same = comparison.is_same();
        let tables = comparison.tables.into_iter().map(ProjectionTableComparison::from).collect();
        Self { position: comparison.position, is_same, tables }
    }
}

impl From<TableComparison> for ProjectionTableComparison {
    fn from(compared: TableComparison) -> Self {
        let TableComparison { table, live_rows, next_rows, only_live, only_next, different } =
            compared;
        Self { table, live_rows, next_rows, only_live, only_next, different }
    }
}

impl From<Example> for ProjectionExample {
    fn from(example: Example) -> Self {
        let Example { table, key, live, next, columns } = example;
        Self { table, key, live, next, columns }
    }
}
