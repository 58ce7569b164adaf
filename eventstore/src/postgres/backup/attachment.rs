//! Attachments on their way: sealed by the key of their subject, so that a copy forgets with the key.
//!
//! A frame is the event's id, then name, subject and sealed bytes, the first two with their lengths before them.

use uuid::Uuid;

use crate::error::StoreError;
use crate::seal::SubjectKey;

/// Tells sealed attachments from all else that a key seals.
const PURPOSE: &[u8] = b"calotype/attachment-in-backup/1";
const ID_BYTES: usize = 16;

/// An attachment in a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    pub(super) event_id: Uuid,
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) sealed: Vec<u8>,
}

impl Attachment {
    pub(super) fn seal(
        (event_id, name, subject): (Uuid, String, String),
        bytes: &[u8],
        key: &SubjectKey,
    ) -> Result<Self, StoreError> {
        let sealed = key.seal_bytes(bytes, &associated(event_id, &name));
        let sealed = sealed.map_err(|error| wrong(event_id, &error.to_string()))?;
        Ok(Self { event_id, name, subject, sealed })
    }

    /// The bytes as they were.
    pub(super) fn open(&self, key: &SubjectKey) -> Result<Vec<u8>, StoreError> {
        let opened = key.open_bytes(&self.sealed, &associated(self.event_id, &self.name));
        opened.map_err(|error| wrong(self.event_id, &error.to_string()))
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let mut bytes = self.event_id.as_bytes().to_vec();
        for text in [&self.name, &self.subject] {
            let length = u16::try_from(text.len());
            let length = length.map_err(|_| wrong(self.event_id, "a name is too long"))?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&self.sealed);
        Ok(bytes)
    }

    /// None where the bytes are no attachment.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (id, mut rest) = bytes.split_at_checked(ID_BYTES)?;
        let mut text = || {
            let (length, behind) = rest.split_at_checked(2)?;
            let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
            let (text, behind) = behind.split_at_checked(length)?;
            rest = behind;
            String::from_utf8(text.to_vec()).ok()
        };
        let (name, subject) = (text()?, text()?);
        Some(Self { event_id: Uuid::from_slice(id).ok()?, name, subject, sealed: rest.to_vec() })
    }
}

fn associated(event_id: Uuid, name: &str) -> Vec<u8> {
    [PURPOSE, event_id.as_bytes(), name.as_bytes()].concat()
}

fn wrong(event_id: Uuid, reason: &str) -> StoreError {
    StoreError::Corrupt {
        table: "log.attachments",
        column: "bytes",
        row: event_id.to_string(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Keyring;

    #[test]
    fn attachments_come_back_with_their_key_and_with_no_other() {
        let keyring = Keyring::from_bytes([1; 32]);
        let key = SubjectKey::generate(&keyring, "asset-1").unwrap();
        let named = |name: &str| (Uuid::from_u128(7), name.to_owned(), "asset-1".to_owned());
        let sealed = Attachment::seal(named("vector"), b"0.5 0.25", &key).unwrap();

        let read = Attachment::parse(&sealed.to_bytes().unwrap()).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(read.open(&key).unwrap(), b"0.5 0.25");
        assert!(!sealed.sealed.windows(3).any(|some| some == b"0.5"));

        let other = SubjectKey::generate(&keyring, "asset-1").unwrap();
        assert!(read.open(&other).is_err());
        let moved = Attachment { name: "boxes".into(), ..read };
        assert!(moved.open(&key).is_err());
        let cut = sealed.to_bytes().unwrap();
        for length in [0, 15, 17, 20] {
            assert_eq!(Attachment::parse(&cut[..length]), None, "{length}");
        }
    }
}
