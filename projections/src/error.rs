//! Why a projection could not go on, or a query not answer.

use calotype_domain::DecodeError;
use calotype_eventstore::StoreError;
use uuid::Uuid;

/// Why a projection could not go on, or a query not answer.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The database refused or is out of reach.
    #[error("failed to use the read tables")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error("failed to read the event log")]
    Store(#[from] StoreError),
    /// An event could not be decoded.
    #[error("failed to decode event {event_id}")]
    Decode {
        /// Which event.
        event_id: Uuid,
        /// Why.
        source: DecodeError,
    },
    /// A stream's key is no UUID although its aggregate's keys are.
    #[error("stream {stream_id} has no UUID for a key")]
    StreamKey {
        /// Which stream.
        stream_id: String,
    },
    /// A row could not be written as JSON.
    #[error("failed to write a row of {table} as JSON")]
    Row {
        /// Which table.
        table: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A strict rebuild stopped at this event.
    #[error("projection {projection} cannot apply event {event_id} at position {position}")]
    Strict {
        /// Which projection.
        projection: &'static str,
        /// Which event.
        event_id: Uuid,
        /// Its place in the log.
        position: i64,
        /// Why.
        source: Box<Self>,
    },
    /// An event that takes access away is not passed over.
    #[error("{event_type} takes access away: without it, who lost access would have it again")]
    TakesAway {
        /// Which kind of event.
        event_type: String,
    },
    /// No projection has this name.
    #[error("there is no projection named {name}")]
    UnknownProjection {
        /// The name asked for.
        name: String,
    },
}
