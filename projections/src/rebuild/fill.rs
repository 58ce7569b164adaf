//! Taking the log into the next generation, a batch a transaction, and the event that stops it.

use calotype_eventstore::{GlobalPosition, Recorded};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::record::{self, Record};
use crate::error::ProjectionError;
use crate::event::{Event, because};
use crate::projection::Projection;
use crate::runner::{relevant, takes};

/// Events read and applied in one transaction: more than live, nobody waits for one of them.
pub(super) const BATCH_EVENTS_MAX: u32 = 5_000;

/// Why a rebuild stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The event that it cannot apply; none where it was something else.
    pub event_id: Option<Uuid>,
    /// Its place in the log.
    pub position: Option<i64>,
    /// Its stream.
    pub stream_id: Option<String>,
    /// Its type.
    pub event_type: Option<String>,
    /// Why, for a person; without values of the event.
    pub reason: String,
}

impl Failure {
    /// Of something that is no event's fault.
    pub(super) fn without_event(reason: impl Into<String>) -> Self {
        Self {
            event_id: None,
            position: None,
            stream_id: None,
            event_type: None,
            reason: reason.into(),
        }
    }

    fn of(recorded: &Recorded, error: &ProjectionError) -> Self {
        Self {
            event_id: Some(recorded.event_id),
            position: recorded.position.map(GlobalPosition::get),
            stream_id: Some(recorded.stream_id.as_str().to_owned()),
            event_type: Some(recorded.event_type.clone()),
            reason: because(error),
        }
    }

    /// In one sentence.
    #[must_use]
    pub fn told(&self) -> String {
        let (Some(event_id), Some(position)) = (self.event_id, self.position) else {
            return self.reason.clone();
        };
        let event_type = self.event_type.as_deref().unwrap_or("event");
        let stream_id = self.stream_id.as_deref().unwrap_or_default();
        let reason = &self.reason;
        format!(
            "cannot apply {event_type} {event_id} of {stream_id} at position {position}: {reason}"
        )
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Filled {
    /// It is applied.
    Applied,
    /// Somebody else moved, paused or gave up the rebuild.
    Overtaken,
    /// It stopped at an event.
    Stopped(Failure),
}

/// Applies a batch in a transaction of its own, up to `last`.
pub(super) async fn batch(
    db: &mut PgConnection,
    projection: &dyn Projection,
    seen: &Record,
    recorded: &[Recorded],
    last: GlobalPosition,
) -> Result<Filled, ProjectionError> {
    batch_of(db, projection, seen, recorded, None, last).await
}

/// The same; `events` are what was recorded, where it was decoded already.
pub(super) async fn batch_of(
    db: &mut PgConnection,
    projection: &dyn Projection,
    seen: &Record,
    recorded: &[Recorded],
    events: Option<&[Event]>,
    last: GlobalPosition,
) -> Result<Filled, ProjectionError> {
    let mut tx = sqlx::Connection::begin(&mut *db).await?;
    if !record::hold_in_tx(&mut tx, seen).await? {
        return Ok(Filled::Overtaken);
    }
    let applied = match events {
        Some(events) => {
            aim_in_tx(&mut tx).await?;
            apply_relevant_in_tx(&mut tx, projection, events).await
        }
        None => apply_in_tx(&mut tx, projection, recorded).await,
    };
    match applied {
        Ok(()) => {
            record::advance_in_tx(&mut tx, &seen.name, last, passed(seen, last)).await?;
            tx.commit().await?;
            Ok(Filled::Applied)
        }
        Err(error) if is_of_an_event(&error) => {
            tx.rollback().await?;
            one_by_one(db, projection, seen, recorded, last).await
        }
        Err(error) => Err(error),
    }
}

/// How many positions of the log a rebuild passes on its way to one: also those that it does not read, because
/// nothing there is for its read model.
fn passed(seen: &Record, to: GlobalPosition) -> u64 {
    u64::try_from(to.get() - seen.position().get()).unwrap_or_default()
}

/// Applies events to the next generation, those of other aggregates left out.
pub(super) async fn apply_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    recorded: &[Recorded],
) -> Result<(), ProjectionError> {
    aim_in_tx(tx).await?;
    let events = recorded
        .iter()
        .filter(|event| takes(projection, event.stream_id.as_str()))
        .map(Event::decode)
        .collect::<Result<Vec<Event>, _>>()?;
    apply_relevant_in_tx(tx, projection, &events).await
}

async fn apply_relevant_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    events: &[Event],
) -> Result<(), ProjectionError> {
    let mine: Vec<&Event> = relevant(projection, events).collect();
    if mine.is_empty() {
        return Ok(());
    }
    projection.apply_in_tx(tx, &mine).await
}

/// Lets what projections say mean the next generation. Nothing waits for these commits: rows and position can be
/// made again, and they commit together.
async fn aim_in_tx(tx: &mut PgConnection) -> Result<(), ProjectionError> {
    sqlx::query(
        "select set_config('synchronous_commit', 'off', true), set_config('search_path', 'read_next', true)",
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Finds the first event of a batch that cannot be applied, and keeps what comes before it.
async fn one_by_one(
    db: &mut PgConnection,
    projection: &dyn Projection,
    seen: &Record,
    recorded: &[Recorded],
    last: GlobalPosition,
) -> Result<Filled, ProjectionError> {
    let mut tx = sqlx::Connection::begin(db).await?;
    if !record::hold_in_tx(&mut tx, seen).await? {
        return Ok(Filled::Overtaken);
    }
    let (mut at, mut failure) = (seen.position(), None);
    for event in recorded {
        sqlx::query("savepoint one").execute(&mut *tx).await?;
        match apply_in_tx(&mut tx, projection, std::slice::from_ref(event)).await {
            Ok(()) => {}
            Err(error) if is_of_an_event(&error) => {
                sqlx::query("rollback to savepoint one").execute(&mut *tx).await?;
                failure = Some(Failure::of(event, &error));
                break;
            }
            Err(error) => return Err(error),
        }
        sqlx::query("release savepoint one").execute(&mut *tx).await?;
        at = event.position.unwrap_or(at);
    }
    let at = if failure.is_some() { at } else { last };
    record::advance_in_tx(&mut tx, &seen.name, at, passed(seen, at)).await?;
    if let Some(failure) = &failure {
        record::fail(&mut tx, &seen.name, failure).await?;
    }
    tx.commit().await?;
    Ok(failure.map_or(Filled::Applied, Filled::Stopped))
}

/// Whether an error is about what an event says, and stays however often it is tried; else the database or its
/// machine could not do it now.
pub(super) fn is_of_an_event(error: &ProjectionError) -> bool {
    match error {
        ProjectionError::Decode { .. }
        | ProjectionError::StreamKey { .. }
        | ProjectionError::Row { .. } => true,
        ProjectionError::Database(sqlx::Error::Database(told)) => {
            // Classes of SQLSTATE: data, constraints, names and rights, limits of the program, raised by SQL.
            told.code().is_some_and(|code| {
                ["22", "23", "42", "54", "P0", "21"].iter().any(|class| code.starts_with(class))
            })
        }
        ProjectionError::Database(
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::RowNotFound
            | sqlx::Error::TypeNotFound { .. },
        ) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_wrong_stops_a_rebuild() {
        let lasting = ProjectionError::StreamKey { stream_id: "asset-x".to_owned() };
        assert!(is_of_an_event(&lasting));
        assert!(is_of_an_event(&ProjectionError::Database(sqlx::Error::RowNotFound)));
        assert!(!is_of_an_event(&ProjectionError::Database(sqlx::Error::PoolTimedOut)));
    }

    #[test]
    fn failure_names_the_event() {
        let failure = Failure {
            event_id: Some(Uuid::nil()),
            position: Some(7),
            stream_id: Some("partner-1".to_owned()),
            event_type: Some("PartnerAdded".to_owned()),
            reason: "no".to_owned(),
        };
        let told = failure.told();
        for word in ["PartnerAdded", &Uuid::nil().to_string(), "partner-1", "position 7", "no"] {
            assert!(told.contains(word), "{told}");
        }
        assert_eq!(Failure::without_event("no").told(), "no");
    }
}
