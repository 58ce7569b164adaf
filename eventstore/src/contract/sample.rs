//! Streams and events to test with.

use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event::{Actor, ActorKind, Append, Envelope, NewEvent};
use crate::stream::{ExpectedRevision, StreamId};

/// An envelope at a fixed time.
///
/// # Panics
/// Never: the time is a constant.
#[must_use]
pub fn envelope() -> Envelope {
    let user_id = Uuid::from_u128(0xa1);
    Envelope {
        actor: Actor {
            kind: ActorKind::ApiKey,
            id: Uuid::from_u128(0xa2).to_string(),
            user_id: Some(user_id),
        },
        client: Some("a test".to_owned()),
        correlation_id: Uuid::from_u128(0xa3),
        causation_id: Some(Uuid::from_u128(0xa4)),
        recorded_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a time"),
    }
}

/// Id of the event with this number.
#[must_use]
pub fn event_id(number: u128) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

/// Id of the test stream with this key.
#[must_use]
pub fn stream_id(key: &str) -> StreamId {
    StreamId::new("thing", key)
}

/// The event with this number.
#[must_use]
pub fn event(number: u128) -> NewEvent {
    with_payload(number, json!({"number": u64::try_from(number).unwrap_or(0), "text": "ä\u{0}\"€"}))
}

/// The event with this number, with a sealed value.
#[must_use]
pub fn sealed_event(number: u128, value: &Value) -> NewEvent {
    with_payload(number, json!({"name": {"$seal": value}, "open": [1, null, {"a": 0.5}]}))
}

fn with_payload(number: u128, payload: Value) -> NewEvent {
    NewEvent {
        event_id: event_id(number),
        event_type: "ThingHappened".to_owned(),
        version: 1,
        payload,
        attachments: Vec::new(),
    }
}

/// Events for a stream, which is also their subject.
#[must_use]
pub fn append(key: &str, expected: ExpectedRevision, events: Vec<NewEvent>) -> Append {
    let stream_id = stream_id(key);
    Append { subject: Some(stream_id.to_string()), stream_id, expected, events }
}
