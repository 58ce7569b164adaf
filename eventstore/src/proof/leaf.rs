//! What is hashed of an event: its row byte for byte, as netstrings one after the other.
//!
//! Attachments are not in it, because they are deleted when their subject is forgotten. Sealed values are in it as
//! they are stored, which is ciphertext: destroying their keys changes no leaf.

use uuid::Uuid;

use super::hash::{Hash, leaf_hash};

const EVENT: &[u8] = b"calotype-event-1";
const GAP: &[u8] = b"calotype-gap-1";
/// About what a leaf takes beside its payload, in bytes.
const ENVELOPE_BYTES: usize = 512;

/// A row of the log as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// Place in the log, from 1.
    pub position: i64,
    /// Id.
    pub event_id: Uuid,
    /// Stream.
    pub stream_id: &'a [u8],
    /// Place in the stream, from 0.
    pub revision: i64,
    /// Name.
    pub event_type: &'a [u8],
    /// Version of the payload's shape.
    pub version: i16,
    /// Payload, byte for byte.
    pub payload: &'a [u8],
    /// Whose key sealed.
    pub subject: Option<&'a [u8]>,
    /// What kind of somebody did it.
    pub actor_kind: &'a [u8],
    /// Who.
    pub actor_id: &'a [u8],
    /// In whose name.
    pub actor_user_id: Option<Uuid>,
    /// With which program.
    pub client: Option<&'a [u8]>,
    /// The request or job.
    pub correlation_id: Uuid,
    /// What led to it.
    pub causation_id: Option<Uuid>,
    /// When it was recorded, in microseconds since 1970.
    pub recorded_at_us: i64,
}

impl Leaf<'_> {
    /// What is hashed.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.payload.len() + ENVELOPE_BYTES);
        self.write(&mut data);
        data
    }

    /// The hash of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash_in(&mut Vec::new())
    }

    /// As [`Leaf::hash`], with a buffer that is used again for the next.
    #[must_use]
    pub fn hash_in(&self, buffer: &mut Vec<u8>) -> Hash {
        buffer.clear();
        self.write(buffer);
        leaf_hash(buffer)
    }

    fn write(&self, data: &mut Vec<u8>) {
        data.reserve(self.payload.len() + ENVELOPE_BYTES);
        text(data, EVENT);
        number(data, self.position);
        id(data, Some(self.event_id));
        text(data, self.stream_id);
        number(data, self.revision);
        text(data, self.event_type);
        number(data, i64::from(self.version));
        text(data, self.payload);
        maybe(data, self.subject);
        text(data, self.actor_kind);
        text(data, self.actor_id);
        id(data, self.actor_user_id);
        maybe(data, self.client);
        id(data, Some(self.correlation_id));
        id(data, self.causation_id);
        number(data, self.recorded_at_us);
    }
}

/// What is hashed of a position that has no event, as a reset of test data leaves them.
#[must_use]
pub fn gap(position: i64) -> Vec<u8> {
    let mut data = Vec::new();
    text(&mut data, GAP);
    number(&mut data, position);
    data
}

/// `<length>:<bytes>,`
fn text(data: &mut Vec<u8>, bytes: &[u8]) {
    data.extend_from_slice(itoa::Buffer::new().format(bytes.len()).as_bytes());
    data.push(b':');
    data.extend_from_slice(bytes);
    data.push(b',');
}

/// As [`text`], or `-,` for what is null.
fn maybe(data: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => text(data, bytes),
        None => data.extend_from_slice(b"-,"),
    }
}

fn number(data: &mut Vec<u8>, number: i64) {
    text(data, itoa::Buffer::new().format(number).as_bytes());
}

/// With hyphens, in small letters.
fn id(data: &mut Vec<u8>, id: Option<Uuid>) {
    let mut written = Uuid::encode_buffer();
    let written = id.map(|id| &*id.hyphenated().encode_lower(&mut written));
    maybe(data, written.map(str::as_bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> Leaf<'static> {
        Leaf {
            position: 7,
            event_id: Uuid::from_u128(1),
            stream_id: b"thing-a",
            revision: 0,
            event_type: b"ThingHappened",
            version: 1,
            payload: b"{\"a\":1}",
            subject: None,
            actor_kind: b"system",
            actor_id: b"test",
            actor_user_id: None,
            client: Some(b""),
            correlation_id: Uuid::from_u128(2),
            causation_id: None,
            recorded_at_us: -5,
        }
    }

    #[test]
    fn a_leaf_is_written_as_documented() {
        assert_eq!(
            String::from_utf8(leaf().data()).unwrap(),
            "16:calotype-event-1,1:7,36:00000000-0000-0000-0000-000000000001,7:thing-a,1:0,\
             13:ThingHappened,1:1,7:{\"a\":1},-,6:system,4:test,-,0:,\
             36:00000000-0000-0000-0000-000000000002,-,2:-5,"
        );
        assert_eq!(gap(12), b"14:calotype-gap-1,2:12,");
    }

    #[test]
    fn every_column_counts() {
        let same = leaf();
        let id = Uuid::from_u128(3);
        let others = [
            Leaf { position: 8, ..same },
            Leaf { event_id: id, ..same },
            Leaf { stream_id: b"thing-b", ..same },
            Leaf { revision: 1, ..same },
            Leaf { event_type: b"ThingHappens", ..same },
            Leaf { version: 2, ..same },
            Leaf { payload: b"{\"a\": 1}", ..same },
            Leaf { subject: Some(b""), ..same },
            Leaf { actor_kind: b"user", ..same },
            Leaf { actor_id: b"tesu", ..same },
            Leaf { actor_user_id: Some(id), ..same },
            Leaf { client: None, ..same },
            Leaf { correlation_id: id, ..same },
            Leaf { causation_id: Some(id), ..same },
            Leaf { recorded_at_us: -4, ..same },
        ];
        for other in others {
            assert_ne!(other.hash(), same.hash(), "{other:?}");
        }
    }
}
