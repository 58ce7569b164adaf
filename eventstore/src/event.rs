//! An event on its way in ([`Append`]), and as it was recorded ([`Recorded`]).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::payload::Payload;
use crate::stream::{ExpectedRevision, GlobalPosition, Revision, StreamId};

/// What kind of somebody did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person with a session.
    User,
    /// A program with an API key.
    ApiKey,
    /// A visitor of a shared link.
    SharedLink,
    /// A processor of ours.
    Processor,
    /// The server itself or its operator.
    System,
}

impl ActorKind {
    /// The name that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::SharedLink => "shared_link",
            Self::Processor => "processor",
            Self::System => "system",
        }
    }

    /// The kind with this stored name.
    #[must_use]
    pub fn from_stored(name: &str) -> Option<Self> {
        match name {
            "user" => Some(Self::User),
            "api_key" => Some(Self::ApiKey),
            "shared_link" => Some(Self::SharedLink),
            "processor" => Some(Self::Processor),
            "system" => Some(Self::System),
            _ => None,
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// Id of the user, session, key or link, or the processor's name.
    pub id: String,
    /// The user in whose name, where there is one.
    pub user_id: Option<Uuid>,
}

/// What is known about one append, beside its events; the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who did it.
    pub actor: Actor,
    /// With which program, as it named itself.
    pub client: Option<String>,
    /// Id of the request or job that everything here belongs to.
    pub correlation_id: Uuid,
    /// Id of the event or command that led to this one.
    pub causation_id: Option<Uuid>,
    /// When it was recorded (not when the photo was taken). Stored to the microsecond.
    pub recorded_at: DateTime<Utc>,
}

/// One event to be appended.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// `UUIDv5` of command id and index, so that a repeated append is recognised.
    pub event_id: Uuid,
    /// Name, such as `AssetFavorited`.
    pub event_type: String,
    /// Version of the payload's shape, from 1.
    pub version: u16,
    /// Payload. Each object `{"$seal": value}` in it is stored under the key of the append's subject.
    pub payload: Value,
    /// Large derived bytes by name, stored with the event and deleted when its subject is forgotten.
    pub attachments: Vec<(String, Bytes)>,
}

/// Events for one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Where to.
    pub stream_id: StreamId,
    /// What is demanded of the stream.
    pub expected: ExpectedRevision,
    /// Whose key seals, such as `asset-<uuid>`; needed where a payload seals or attaches something.
    pub subject: Option<String>,
    /// What happened, in order; at least one.
    pub events: Vec<NewEvent>,
}

/// What an append wrote to one stream, now or in an earlier attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where to.
    pub stream_id: StreamId,
    /// Revision of the last event of the append.
    pub last_revision: Revision,
    /// Id of the last event of the append.
    pub last_event_id: Uuid,
}

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Place in the whole log; none while the sequencer has not passed it.
    pub position: Option<GlobalPosition>,
    /// Id.
    pub event_id: Uuid,
    /// Stream.
    pub stream_id: StreamId,
    /// Place in the stream.
    pub revision: Revision,
    /// Name, such as `AssetFavorited`.
    pub event_type: String,
    /// Version of the payload's shape, from 1.
    pub version: u16,
    /// Payload, unsealed: `{"$seal": value}` as it was given, or `{"$forgotten": true}`.
    pub payload: Payload,
    /// Whose key sealed.
    pub subject: Option<String>,
    /// Who, how, why, when.
    pub envelope: Envelope,
}
