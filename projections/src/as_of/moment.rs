//! A position of the log, found by its number or by time.

use calotype_eventstore::GlobalPosition;
use chrono::{DateTime, Utc};

use crate::error::ProjectionError;
use crate::query::Queries;

/// A moment of the log: after one event and before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The last event's position; 0 before the first.
    pub position: GlobalPosition,
    /// When that event was recorded; nothing before the first, or where it was erased.
    pub recorded_at: Option<DateTime<Utc>>,
}

impl Queries {
    /// The moment at a position; nothing where the log has not come that far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn moment(&self, position: i64) -> Result<Option<Moment>, ProjectionError> {
        if position < 0 || position > self.store().head().await?.get() {
            return Ok(None);
        }
        self.moment_of(GlobalPosition::new(position)).await.map(Some)
    }

    /// The last moment before or at an instant.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn moment_at(&self, instant: DateTime<Utc>) -> Result<Moment, ProjectionError> {
        let position = self.store().position_at(instant).await?;
        self.moment_of(position).await
    }

    async fn moment_of(&self, position: GlobalPosition) -> Result<Moment, ProjectionError> {
        let before = GlobalPosition::new(position.get() - 1);
        let event = match position {
            GlobalPosition::START => None,
            _ => self.store().read_all(before, 1).await?.into_iter().next(),
        };
        let event = event.filter(|event| event.position == Some(position));
        Ok(Moment { position, recorded_at: event.map(|event| event.envelope.recorded_at) })
    }
}
