//! The double's log: events in one list, streams as lists of indices, and what is to go wrong.

#![expect(clippy::result_large_err, reason = "a service answers with tonic's status")]

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use tonic::Status;
use uuid::Uuid;

use super::messages::{
    AppendResp, AppendResult, Current, Expected, Position, ProposedMessage, RecordedEvent,
    StreamIdentifier, Success, WasExpected, WrongExpectedVersion,
};

/// KurrentDB's default.
const APPEND_SIZE_BYTES_MAX: usize = 1024 * 1024;
/// After so many appends it writes an event of its own, as KurrentDB does about itself.
const OWN_EVERY: u64 = 3;
/// Where to.
const OWN_STREAM: &str = "$stats-double";
/// Bytes between two positions, beside the data's.
const RECORD_SIZE_BYTES: u64 = 96;

/// Everything the double knows.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) events: Vec<Stored>,
    streams: HashMap<String, Vec<usize>>,
    end: u64,
    appends: u64,
    /// Answers nothing.
    pub(super) is_away: bool,
    /// So many of the next appends are written, and their answers lost.
    pub(super) answers_lost: usize,
    /// Appends to these streams are refused as if the server went away.
    pub(super) closed_streams: HashSet<String>,
}

/// An event.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: Uuid,
    pub(super) stream: String,
    revision: u64,
    pub(super) position: u64,
    metadata: HashMap<String, String>,
    custom_metadata: Bytes,
    data: Bytes,
}

impl Log {
    /// Writes events to a stream, or finds that an earlier append has written them.
    pub(super) fn append(
        &mut self,
        stream: &str,
        expected: Expected,
        events: Vec<ProposedMessage>,
    ) -> Result<AppendResp, Status> {
        if self.is_away || self.closed_streams.contains(stream) {
            return Err(Status::unavailable("the server goes down"));
        }
        let size_bytes: usize =
            events.iter().map(|event| event.data.len() + event.custom_metadata.len()).sum();
        if size_bytes > APPEND_SIZE_BYTES_MAX {
            return Err(Status::invalid_argument(format!(
                "Maximum Append Size of {APPEND_SIZE_BYTES_MAX} Exceeded."
            )));
        }
        let ids = events
            .iter()
            .map(|event| event.id.as_ref().and_then(super::messages::Uuid::read))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Status::invalid_argument("an event without an id"))?;
        let result = match self.place_for(stream, expected, &ids) {
            Place::Free => {
                for (id, event) in ids.into_iter().zip(events) {
                    self.write(stream, id, event.metadata, event.custom_metadata, event.data);
                }
                self.appends += 1;
                let written = success(self.last(stream));
                if self.appends.is_multiple_of(OWN_EVERY) {
                    let kind = HashMap::from([("type".to_owned(), "$statsCollected".to_owned())]);
                    let id = Uuid::from_u128(u128::from(self.appends));
                    self.write(OWN_STREAM, id, kind, Bytes::new(), Bytes::from_static(b"{}"));
                }
                written
            }
            Place::WrittenBefore(last) => success(Some(&self.events[last])),
            Place::Taken => AppendResult::WrongExpectedVersion(WrongExpectedVersion {
                current_revision_option: Some(match self.last(stream) {
                    Some(last) => Current::Revision(last.revision),
                    None => Current::NoStream(()),
                }),
                expected_revision_option: Some(match expected {
                    Expected::Revision(revision) => WasExpected::Revision(revision),
                    Expected::NoStream(()) => WasExpected::NoStream(()),
                    Expected::Any(()) => WasExpected::Any(()),
                    Expected::StreamExists(()) => WasExpected::StreamExists(()),
                }),
            }),
        };
        if self.answers_lost > 0 {
            self.answers_lost -= 1;
            return Err(Status::unavailable("the connection broke"));
        }
        Ok(AppendResp { result: Some(result) })
    }

    /// The events of a stream in its order; none where there is no such stream.
    pub(super) fn stream(&self, name: &str) -> Option<Vec<&Stored>> {
        let indices = self.streams.get(name)?;
        Some(indices.iter().map(|index| &self.events[*index]).collect())
    }

    /// Writes a copy of the last event of any stream to another one, as somebody without manners would.
    pub(super) fn intrude(&mut self, stream: &str, id: Uuid) {
        let like = self.events.iter().rev().find(|event| !event.stream.starts_with('$')).cloned();
        if let Some(Stored { metadata, custom_metadata, data, .. }) = like {
            self.write(stream, id, metadata, custom_metadata, data);
        }
    }

    fn write(
        &mut self,
        stream: &str,
        id: Uuid,
        metadata: HashMap<String, String>,
        custom_metadata: Bytes,
        data: Bytes,
    ) {
        let revision = self.last(stream).map_or(0, |last| last.revision + 1);
        let position = self.end;
        self.end += RECORD_SIZE_BYTES + u64::try_from(data.len()).unwrap_or(0);
        let index = self.events.len();
        self.events.push(Stored {
            id,
            stream: stream.to_owned(),
            revision,
            position,
            metadata,
            custom_metadata,
            data,
        });
        self.streams.entry(stream.to_owned()).or_default().push(index);
    }

    fn last(&self, stream: &str) -> Option<&Stored> {
        self.streams.get(stream)?.last().map(|index| &self.events[*index])
    }

    /// Expected revisions and idempotency as KurrentDB documents them.
    fn place_for(&self, stream: &str, expected: Expected, ids: &[Uuid]) -> Place {
        let there = self.streams.get(stream).map(Vec::as_slice).unwrap_or_default();
        let next = match expected {
            Expected::NoStream(()) => 0,
            Expected::Revision(revision) => usize::try_from(revision).unwrap_or(0) + 1,
            Expected::Any(()) => {
                let first =
                    there.iter().position(|index| Some(&self.events[*index].id) == ids.first());
                first.unwrap_or(there.len())
            }
            Expected::StreamExists(()) if there.is_empty() => return Place::Taken,
            Expected::StreamExists(()) => there.len(),
        };
        if next == there.len() {
            return Place::Free;
        }
        let Some(range) = there.get(next..next + ids.len()) else { return Place::Taken };
        let same = range.iter().zip(ids).all(|(index, id)| self.events[*index].id == *id);
        match range.last() {
            Some(last) if same => Place::WrittenBefore(*last),
            _ => Place::Taken,
        }
    }
}

/// Where an append may go.
enum Place {
    Free,
    /// The index of its last event.
    WrittenBefore(usize),
    Taken,
}

fn success(last: Option<&Stored>) -> AppendResult {
    AppendResult::Success(Success {
        current_revision: last.map(|last| last.revision),
        position: last.map(|last| Position {
            commit_position: last.position,
            prepare_position: last.position,
        }),
    })
}

impl Stored {
    /// As it is read.
    pub(super) fn recorded(&self) -> RecordedEvent {
        let mut metadata = self.metadata.clone();
        metadata.entry("created".to_owned()).or_insert_with(|| "17000000000000000".to_owned());
        RecordedEvent {
            id: Some(self.id.into()),
            stream_identifier: Some(StreamIdentifier {
                stream_name: Bytes::from(self.stream.clone().into_bytes()),
            }),
            stream_revision: self.revision,
            prepare_position: self.position,
            commit_position: self.position,
            metadata,
            custom_metadata: self.custom_metadata.clone(),
            data: self.data.clone(),
        }
    }

    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }
}
