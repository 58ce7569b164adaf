//! What every store refuses before it looks at its log.

use std::collections::HashSet;

use crate::error::AppendError;
use crate::event::{Append, NewEvent};
use crate::seal;
use crate::stream::StreamId;

/// Most events in one call.
pub(crate) const APPEND_EVENTS_MAX: usize = 10_000;
/// Most bytes of a stream id or subject: they are in an index.
const NAME_SIZE_BYTES_MAX: usize = 512;

/// What an append needs its subject for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sealing {
    /// Some payload holds `{"$seal": ..}`.
    pub(crate) payloads: bool,
    /// Some event has attachments.
    pub(crate) attachments: bool,
}

impl Sealing {
    /// Whether the subject must have a key that was not destroyed.
    pub(crate) fn needs_key(self) -> bool {
        self.payloads || self.attachments
    }
}

/// Checks a call and says for each append what it needs its subject for.
pub(crate) fn appends(appends: &[Append]) -> Result<Vec<Sealing>, AppendError> {
    let invalid = |reason: String| Err(AppendError::Invalid(reason));
    if appends.is_empty() {
        return invalid("no stream".to_owned());
    }
    let events_count = appends.iter().map(|append| append.events.len()).sum::<usize>();
    if events_count > APPEND_EVENTS_MAX {
        return invalid(format!(
            "{events_count} events, at most {APPEND_EVENTS_MAX} go in one call"
        ));
    }

    let mut stream_ids = HashSet::with_capacity(appends.len());
    let mut event_ids = HashSet::with_capacity(events_count);
    let mut sealings = Vec::with_capacity(appends.len());
    for append in appends {
        let stream_id = append.stream_id.as_str();
        for name in append.subject.iter().map(String::as_str).chain([stream_id]) {
            if name.is_empty() || name.len() > NAME_SIZE_BYTES_MAX || name.contains('\0') {
                return invalid(format!("{name:?} names no stream or subject"));
            }
        }
        if !stream_ids.insert(stream_id) {
            return invalid(format!("stream {stream_id} occurs twice"));
        }
        if append.events.is_empty() {
            return invalid(format!("no event for stream {stream_id}"));
        }
        for event in &append.events {
            if !event_ids.insert(event.event_id) {
                return invalid(format!("event id {} occurs twice", event.event_id));
            }
        }
        sealings.push(sealing(append)?);
    }
    Ok(sealings)
}

/// The refusal of an append with an event id that names another event.
pub(crate) fn event_id_taken(stream_id: &StreamId) -> AppendError {
    AppendError::Invalid(format!("an event id for stream {stream_id} names another event"))
}

fn sealing(append: &Append) -> Result<Sealing, AppendError> {
    let mut sealing = Sealing::default();
    for event in &append.events {
        sealing.payloads |= event_seals(event)?;
        sealing.attachments |= !event.attachments.is_empty();
    }
    if sealing.needs_key() && append.subject.is_none() {
        let stream_id = &append.stream_id;
        return Err(AppendError::Invalid(format!("stream {stream_id} seals without a subject")));
    }
    Ok(sealing)
}

fn event_seals(event: &NewEvent) -> Result<bool, AppendError> {
    if event.event_type.is_empty() || event.version == 0 || i16::try_from(event.version).is_err() {
        let NewEvent { event_type, version, .. } = event;
        return Err(AppendError::Invalid(format!("event {event_type:?} version {version}")));
    }
    seal::seals_something(&event.payload)
        .map_err(|error| AppendError::Invalid(format!("event {}: {error}", event.event_type)))
}
