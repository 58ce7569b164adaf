//! Applies a batch under savepoints, so that a stream that cannot be applied or read is parked and the rest
//! goes on.

use std::collections::HashSet;

use sqlx::PgConnection;
use tracing::{error, warn};

use crate::error::ProjectionError;
use crate::event::{Event, Unreadable, because};
use crate::parked::{self, Waiting};
use crate::projection::Projection;
use crate::runner::{relevant, takes};

/// Why an event waits that is not wrong itself.
const BEHIND: &str = "an earlier event of the stream is parked";

/// One projection, and the streams that are parked for it already.
pub(crate) struct Careful<'a> {
    pub(crate) projection: &'a dyn Projection,
    /// Of its checkpoint.
    pub(crate) name: &'a str,
    pub(crate) parked: &'a HashSet<String>,
}

/// An event in its turn.
enum Turn<'a> {
    Event(&'a Event),
    Unreadable(&'a Unreadable),
}

impl Turn<'_> {
    fn waiting<'a>(&'a self, code: &'static str, reason: &'a str) -> Waiting<'a> {
        let (stream_id, event_id, position) = match self {
            Turn::Event(event) => (&event.stream_id, event.event_id, event.position),
            Turn::Unreadable(event) => (&event.stream_id, event.event_id, event.position),
        };
        Waiting { stream_id, event_id, position, code, reason }
    }

    fn stream_id(&self) -> &str {
        match self {
            Turn::Event(event) => &event.stream_id,
            Turn::Unreadable(event) => &event.stream_id,
        }
    }
}

impl Careful<'_> {
    /// Applies a batch, or what of it can be; says which streams were parked.
    pub(crate) async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[Event],
        unreadable: &[Unreadable],
    ) -> Result<HashSet<String>, ProjectionError> {
        let mine: Vec<&Event> = relevant(self.projection, events).collect();
        let broken: Vec<&Unreadable> =
            unreadable.iter().filter(|event| takes(self.projection, &event.stream_id)).collect();
        if mine.is_empty() && broken.is_empty() {
            return Ok(HashSet::new());
        }
        let is_clean =
            broken.is_empty() && !mine.iter().any(|event| self.parked.contains(&event.stream_id));
        if is_clean && self.apply_together_in_tx(tx, &mine).await? {
            return Ok(HashSet::new());
        }
        let mut turns: Vec<Turn<'_>> = mine.into_iter().map(Turn::Event).collect();
        turns.extend(broken.into_iter().map(Turn::Unreadable));
        turns.sort_by_key(|turn| turn.waiting("", "").position);
        self.apply_one_by_one_in_tx(tx, &turns).await
    }

    /// All at once under a savepoint; `false` when that failed, and then nothing of it is there.
    async fn apply_together_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<bool, ProjectionError> {
        sqlx::query("savepoint batch").execute(&mut *tx).await?;
        match self.projection.apply_in_tx(tx, events).await {
            Ok(()) => {
                sqlx::query("release savepoint batch").execute(&mut *tx).await?;
                Ok(true)
            }
            Err(error) => {
                warn!(
                    projection = self.name,
                    error = &error as &dyn std::error::Error,
                    "a batch failed, applying it event by event"
                );
                sqlx::query("rollback to savepoint batch").execute(&mut *tx).await?;
                Ok(false)
            }
        }
    }

    async fn apply_one_by_one_in_tx(
        &self,
        tx: &mut PgConnection,
        turns: &[Turn<'_>],
    ) -> Result<HashSet<String>, ProjectionError> {
        let mut parked_now: HashSet<String> = HashSet::new();
        for turn in turns {
            let stream_id = turn.stream_id();
            if self.parked.contains(stream_id) || parked_now.contains(stream_id) {
                parked::park_in_tx(tx, self.name, &turn.waiting("behind", BEHIND)).await?;
                continue;
            }
            let (code, reason) = match turn {
                Turn::Event(event) => match self.apply_one_in_tx(tx, event).await? {
                    None => continue,
                    Some(reason) => ("failed", reason),
                },
                Turn::Unreadable(event) => ("unreadable", event.reason.clone()),
            };
            let waiting = turn.waiting(code, &reason);
            error!(
                projection = self.name,
                event.id = %waiting.event_id,
                stream.id = stream_id,
                reason,
                "parked a stream"
            );
            parked::park_in_tx(tx, self.name, &waiting).await?;
            parked_now.insert(stream_id.to_owned());
        }
        Ok(parked_now)
    }

    /// One event under a savepoint; why, when it could not be applied.
    async fn apply_one_in_tx(
        &self,
        tx: &mut PgConnection,
        event: &Event,
    ) -> Result<Option<String>, ProjectionError> {
        sqlx::query("savepoint one").execute(&mut *tx).await?;
        match self.projection.apply_in_tx(tx, &[event]).await {
            Ok(()) => {
                sqlx::query("release savepoint one").execute(&mut *tx).await?;
                Ok(None)
            }
            Err(error) => {
                sqlx::query("rollback to savepoint one").execute(&mut *tx).await?;
                Ok(Some(because(&error)))
            }
        }
    }
}
