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
    /// A rebuild stopped before it was done.
    #[error("the rebuild of {name} stopped: {reason}")]
    Stopped {
        /// Of which projection.
        name: String,
        /// Why.
        reason: String,
    },
    /// One rebuild of a projection at a time.
    #[error("a rebuild of {name} is {state} already: resume or discard it first")]
    UnderWay {
        /// Of which projection.
        name: String,
        /// How it is.
        state: &'static str,
    },
    /// Nothing to pause or resume.
    #[error("no rebuild of {name} is under way")]
    NotUnderWay {
        /// Of which projection.
        name: String,
    },
    /// There is no generation that could be meant.
    #[error("of {name} there is nothing beside what is live")]
    NothingBuilt {
        /// Of which projection.
        name: String,
    },
    /// The generation that was live before does not fit the program any more.
    #[error(
        "the tables of {name} from before have other columns than the live ones: another release made them"
    )]
    OtherShape {
        /// Of which projection.
        name: String,
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
