//! The form of an event in KurrentDB: its payload as it is stored here too, and the envelope as metadata.
//!
//! Correlation and causation have the names that KurrentDB's own projections know.

use chrono::{DateTime, SubsecRound, Utc};
use kurrentdb::{EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{AppendError, StoreError};
use crate::event::{Actor, Envelope, Recorded};
use crate::payload::Payload;
use crate::postgres::{CallEvent, CallStream};
use crate::stream::{Revision, StreamId};

/// Most bytes of one write. KurrentDB's default limit is 1 MiB, with what it adds itself.
const WRITE_SIZE_BYTES_MAX: usize = 900_000;
/// What an event takes beside payload and metadata, generously.
const EVENT_OVERHEAD_BYTES: usize = 256;

/// The envelope, and what else is not payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Metadata {
    /// Version of the payload's shape.
    pub(super) version: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    pub(super) actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    #[serde(rename = "$correlationId")]
    pub(super) correlation_id: Uuid,
    #[serde(rename = "$causationId", default, skip_serializing_if = "Option::is_none")]
    pub(super) causation_id: Option<Uuid>,
    pub(super) recorded_at: DateTime<Utc>,
}

/// An event on its way to KurrentDB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Outgoing {
    pub(super) event_id: Uuid,
    pub(super) event_type: String,
    pub(super) metadata: Metadata,
    /// JSON text, sealed.
    pub(super) payload: String,
}

/// Events that KurrentDB takes at once: all of them or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Write {
    pub(super) stream_id: StreamId,
    /// The stream's last revision before; -1 for a new stream.
    pub(super) after: i64,
    pub(super) events: Vec<Outgoing>,
}

impl Metadata {
    fn new(version: u16, subject: Option<&str>, envelope: &Envelope) -> Self {
        Self {
            version,
            subject: subject.map(str::to_owned),
            actor: envelope.actor.clone(),
            client: envelope.client.clone(),
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
            // As PostgreSQL keeps it.
            recorded_at: envelope.recorded_at.trunc_subsecs(6),
        }
    }
}

impl Outgoing {
    fn new(
        event: &CallEvent,
        subject: Option<&str>,
        envelope: &Envelope,
    ) -> Result<Self, AppendError> {
        let version = u16::try_from(event.version)
            .map_err(|_| AppendError::Invalid(format!("version {}", event.version)))?;
        Ok(Self {
            event_id: event.event_id,
            event_type: event.event_type.clone(),
            metadata: Metadata::new(version, subject, envelope),
            payload: event.payload.clone(),
        })
    }

    /// As the client takes it.
    pub(super) fn to_data(&self) -> Result<EventData, serde_json::Error> {
        let payload: &serde_json::value::RawValue = serde_json::from_str(&self.payload)?;
        let data = EventData::json(&self.event_type, &payload)?;
        data.id(self.event_id).metadata_as_json(&self.metadata)
    }

    fn size_bytes(&self) -> usize {
        let Metadata { subject, actor, client, .. } = &self.metadata;
        let texts = [subject.as_deref(), client.as_deref(), Some(actor.id.as_str())];
        self.payload.len()
            + self.event_type.len()
            + texts.into_iter().flatten().map(str::len).sum::<usize>()
            + 2 * EVENT_OVERHEAD_BYTES
    }
}

impl Write {
    /// Cuts what goes to one stream, whose last revision is `after`, into writes that KurrentDB takes.
    pub(super) fn cut(
        stream: &CallStream,
        mut after: i64,
        envelope: &Envelope,
    ) -> Result<Vec<Self>, AppendError> {
        let mut writes: Vec<Self> = Vec::new();
        let mut room = 0;
        for event in &stream.events {
            let outgoing = Outgoing::new(event, stream.subject.as_deref(), envelope)?;
            let size = outgoing.size_bytes();
            if size > WRITE_SIZE_BYTES_MAX {
                return Err(AppendError::Invalid(format!(
                    "an event of {size} bytes for stream {}: KurrentDB takes {WRITE_SIZE_BYTES_MAX}",
                    stream.stream_id
                )));
            }
            match writes.last_mut() {
                Some(write) if size <= room => write.events.push(outgoing),
                _ => {
                    room = WRITE_SIZE_BYTES_MAX;
                    let stream_id = stream.stream_id.clone();
                    writes.push(Self { stream_id, after, events: vec![outgoing] });
                }
            }
            room -= size;
            after += 1;
        }
        Ok(writes)
    }
}

/// Whether a stream is one of KurrentDB's own.
pub(super) fn is_system(event: &RecordedEvent) -> bool {
    event.stream_id().starts_with('$')
}

/// Place in `$all`, as it is stored: the commit's and the event's.
pub(super) fn place(event: &RecordedEvent) -> (i64, i64) {
    let stored = |position| i64::try_from(position).unwrap_or(i64::MAX);
    (stored(event.position.commit), stored(event.position.prepare))
}

/// An event as it was read; sealed, and without a position.
pub(super) fn decode(event: &RecordedEvent) -> Result<Recorded, StoreError> {
    let corrupt = |column, reason: String| StoreError::Corrupt {
        table: "KurrentDB",
        column,
        row: format!("event {} of stream {}", event.id, event.stream_id()),
        reason,
    };
    let metadata: Metadata = serde_json::from_slice(&event.custom_metadata).map_err(|error| {
        corrupt("metadata", format!("{error}; Calotype needs a KurrentDB of its own"))
    })?;
    let payload = std::str::from_utf8(&event.data)
        .map_err(|error| corrupt("data", error.to_string()))?
        .to_owned();
    let revision =
        i64::try_from(event.revision).map_err(|error| corrupt("revision", error.to_string()))?;
    Ok(Recorded {
        position: None,
        event_id: event.id,
        stream_id: StreamId::from_stored(event.stream_id().to_owned()),
        revision: Revision::new(revision),
        event_type: event.event_type.clone(),
        version: metadata.version,
        payload: Payload::from_json(payload),
        subject: metadata.subject,
        envelope: Envelope {
            actor: metadata.actor,
            client: metadata.client,
            correlation_id: metadata.correlation_id,
            causation_id: metadata.causation_id,
            recorded_at: metadata.recorded_at,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::{envelope, event_id, stream_id};
    use crate::stream::ExpectedRevision;

    fn stream(sizes: &[usize]) -> CallStream {
        let events = (0..).zip(sizes).map(|(number, size)| CallEvent {
            event_id: event_id(number),
            event_type: "ThingHappened".to_owned(),
            version: 1,
            payload: json!({"text": "x".repeat(*size)}).to_string(),
            attachments: Vec::new(),
        });
        CallStream {
            stream_id: stream_id("a"),
            expected: ExpectedRevision::Any,
            subject: None,
            wrapped: None,
            events: events.collect(),
        }
    }

    #[test]
    fn what_is_too_large_for_one_write_goes_in_several() {
        let writes = Write::cut(&stream(&[500_000, 300_000, 300_000, 10]), 6, &envelope()).unwrap();

        let cut: Vec<_> = writes.iter().map(|write| (write.after, write.events.len())).collect();
        assert_eq!(cut, [(6, 2), (8, 2)]);
    }

    #[test]
    fn an_event_that_no_write_can_hold_is_refused() {
        let refused = Write::cut(&stream(&[WRITE_SIZE_BYTES_MAX]), -1, &envelope());

        assert!(matches!(refused, Err(AppendError::Invalid(_))), "{refused:?}");
    }

    #[test]
    fn a_write_is_the_same_after_it_was_put_down() {
        let writes = Write::cut(&stream(&[10, 20]), -1, &envelope()).unwrap();

        let text = serde_json::to_string(&writes).unwrap();

        assert_eq!(serde_json::from_str::<Vec<Write>>(&text).unwrap(), writes);
    }
}
