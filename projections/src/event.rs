//! An event as projections see it: placed, decoded, with the parts of its envelope that rows need.

use calotype_domain::catalogue::{self, AnyEvent};
use calotype_domain::user::UserEvent;
use calotype_eventstore::{GlobalPosition, Recorded};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::ProjectionError;

/// One decoded event of the log.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in the log.
    pub position: GlobalPosition,
    /// Its id.
    pub event_id: Uuid,
    /// Its stream, `asset-<uuid>`.
    pub stream_id: String,
    /// The key of its stream as a UUID; nil where the key is a word.
    pub key: Uuid,
    /// Its place in the stream, from 0.
    pub revision: i64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub what: AnyEvent,
}

impl Event {
    /// Decodes a recorded event.
    ///
    /// # Errors
    /// [`ProjectionError::Decode`].
    pub fn decode(recorded: Recorded) -> Result<Self, ProjectionError> {
        let event_id = recorded.event_id;
        let what = catalogue::decode(
            recorded.stream_id.aggregate(),
            &recorded.event_type,
            recorded.version,
            recorded.payload,
        )
        .map_err(|source| ProjectionError::Decode { event_id, source })?;
        Ok(Self {
            position: recorded.position.unwrap_or(GlobalPosition::START),
            event_id,
            key: Uuid::parse_str(recorded.stream_id.key()).unwrap_or_default(),
            stream_id: recorded.stream_id.as_str().to_owned(),
            revision: recorded.revision.get(),
            recorded_at: recorded.envelope.recorded_at,
            what,
        })
    }
}

/// The accounts that were removed for good in a batch.
pub(crate) fn purged_users(events: &[&Event]) -> Vec<Uuid> {
    events
        .iter()
        .filter(|event| matches!(event.what, AnyEvent::User(UserEvent::Purged(_))))
        .map(|event| event.key)
        .collect()
}
