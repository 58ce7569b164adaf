//! One append on its way to a writer: sealed, encoded, with somebody waiting for the answer.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::error::AppendError;
use crate::event::{Append, Appended, Envelope};
use crate::seal::{self, SubjectKey};
use crate::stream::{ExpectedRevision, Revision, StreamId};
use crate::validate;

/// The keys of a call's subjects, where it needs them.
pub(crate) type CallKeys = HashMap<String, SubjectKey>;

/// One call of `append`.
pub(super) struct Call {
    pub(super) streams: Vec<CallStream>,
    pub(super) envelope: Arc<Envelope>,
    /// Of payloads and attachments.
    pub(super) size_bytes: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Verdict>, AppendError>>,
}

/// What a call writes to one stream.
pub(crate) struct CallStream {
    pub(crate) stream_id: StreamId,
    pub(crate) expected: ExpectedRevision,
    pub(crate) subject: Option<String>,
    /// The key that sealed, where one is needed.
    pub(crate) wrapped: Option<Arc<[u8]>>,
    pub(crate) events: Vec<CallEvent>,
}

/// One event with its payload as it will be stored.
pub(crate) struct CallEvent {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) version: i16,
    pub(crate) payload: String,
    pub(crate) attachments: Vec<(String, Bytes)>,
}

/// What became of one stream of a call; `log.append` in the migrations names them by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Written now, after `before` (-1 for a new stream).
    Written { before: i64 },
    /// Written by an earlier attempt.
    Repeated { last: i64 },
    /// The demand does not hold; -1 for no event.
    WrongRevision { actual: i64 },
    /// An event id names another event.
    EventIdTaken,
    /// The subject was forgotten.
    Forgotten,
    /// The subject has another key than the one that sealed.
    OtherKey,
    /// Refused because of another stream of the call.
    Refused,
}

impl Call {
    /// Seals and encodes.
    pub(super) fn encode(
        appends: &[Append],
        keys: &CallKeys,
        envelope: &Arc<Envelope>,
        answer: oneshot::Sender<Result<Vec<Verdict>, AppendError>>,
    ) -> Result<Self, AppendError> {
        let streams = appends
            .iter()
            .map(|append| CallStream::encode(append, keys))
            .collect::<Result<Vec<_>, _>>()?;
        let size_bytes = streams
            .iter()
            .flat_map(|stream| &stream.events)
            .map(|event| {
                event.payload.len() + event.attachments.iter().map(|(_, b)| b.len()).sum::<usize>()
            })
            .sum();
        Ok(Self { streams, envelope: Arc::clone(envelope), size_bytes, answer })
    }

    /// Answers; whoever gave up waiting does not mind.
    pub(super) fn answer(self, result: Result<Vec<Verdict>, AppendError>) {
        drop(self.answer.send(result));
    }
}

impl CallStream {
    pub(super) fn encode(append: &Append, keys: &CallKeys) -> Result<Self, AppendError> {
        let key = append.subject.as_ref().and_then(|subject| keys.get(subject));
        let mut events = Vec::with_capacity(append.events.len());
        for event in &append.events {
            let payload = match key {
                None => event.payload.to_string(),
                Some(key) => {
                    let mut payload = event.payload.clone();
                    seal::seal(&mut payload, event.event_id, key)
                        .map_err(|error| AppendError::Invalid(error.to_string()))?;
                    payload.to_string()
                }
            };
            events.push(CallEvent {
                event_id: event.event_id,
                event_type: event.event_type.clone(),
                version: i16::try_from(event.version)
                    .map_err(|_| AppendError::Invalid(format!("version {}", event.version)))?,
                payload,
                attachments: event.attachments.clone(),
            });
        }
        Ok(Self {
            stream_id: append.stream_id.clone(),
            expected: append.expected,
            subject: append.subject.clone(),
            wrapped: key.map(SubjectKey::wrapped),
            events,
        })
    }
}

impl Verdict {
    /// Whether this append wrote something now.
    pub(super) fn is_written(&self) -> bool {
        matches!(self, Self::Written { .. })
    }

    /// What the caller is told.
    pub(super) fn judge(
        verdicts: &[Self],
        appends: &[Append],
    ) -> Result<Vec<Appended>, AppendError> {
        let mut appended = Vec::with_capacity(appends.len());
        for (append, verdict) in appends.iter().zip(verdicts) {
            let last_event_id = append.events.last().map(|event| event.event_id);
            let last_event_id = last_event_id.unwrap_or_default();
            let written = i64::try_from(append.events.len()).unwrap_or(i64::MAX);
            let last_revision = match *verdict {
                Self::Written { before } => Revision::new(before + written),
                Self::Repeated { last } => Revision::new(last),
                Self::WrongRevision { actual } => {
                    return Err(AppendError::WrongExpectedRevision {
                        stream_id: append.stream_id.clone(),
                        expected: append.expected,
                        actual: (actual >= 0).then(|| Revision::new(actual)),
                    });
                }
                Self::EventIdTaken => return Err(validate::event_id_taken(&append.stream_id)),
                Self::Forgotten => {
                    let subject = append.subject.clone().unwrap_or_default();
                    return Err(AppendError::SubjectForgotten { subject });
                }
                // The stream that is to blame says why.
                Self::OtherKey | Self::Refused => continue,
            };
            let stream_id = append.stream_id.clone();
            appended.push(Appended { stream_id, last_revision, last_event_id });
        }
        Ok(appended)
    }
}
