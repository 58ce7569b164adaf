//! Sealed values: which parts of a payload can be forgotten, and how they are kept until then.
//!
//! On the way in, each object `{"$seal": v}` becomes `{"$sealed": base64(nonce | ciphertext)}`:
//! XChaCha20-Poly1305 under the subject's key, a random nonce of 24 bytes, and as associated data the
//! event's id and the JSON pointer of the place, so that a value cannot be moved elsewhere.
//! On the way out it becomes `{"$seal": v}` again, or `{"$forgotten": true}` without the key.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::RngCore;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use thiserror::Error;
use uuid::Uuid;

use crate::keyring::Keyring;

/// Marks a value to be sealed, and one that was unsealed.
pub(crate) const SEAL: &str = "$seal";
/// Marks ciphertext in the log.
pub(crate) const SEALED: &str = "$sealed";
/// Marks what cannot be read any more.
pub(crate) const FORGOTTEN: &str = "$forgotten";

/// The mark of ciphertext as it stands in a payload's text.
const SEALED_NAME: &str = "\"$sealed\"";
/// What an opened value begins with.
const SEAL_OPENED: &str = "{\"$seal\":";
/// What stands for a value that cannot be read any more.
const FORGOTTEN_MARK: &str = "{\"$forgotten\":true}";

const NONCE_SIZE_BYTES: usize = 24;

/// Why sealing, unsealing or unwrapping failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum SealError {
    /// `{"$seal": ..}` has company, or one of the log's own marks came from outside.
    #[error("{pointer:?} uses a reserved mark")]
    ReservedMark { pointer: String },
    /// Something sealed is not base64, too short, or not text.
    #[error("{pointer:?} is no sealed value")]
    Malformed { pointer: String },
    /// The ciphertext does not belong here or was changed.
    #[error("{pointer:?} does not open with its key")]
    WrongKey { pointer: String },
    /// The cipher refused the size.
    #[error("{pointer:?} is too large to seal")]
    TooLarge { pointer: String },
}

/// A subject's key with its wrapped form, which names it in the database.
#[derive(Clone)]
pub(crate) struct SubjectKey {
    cipher: XChaCha20Poly1305,
    wrapped: Arc<[u8]>,
}

impl SubjectKey {
    /// A new random key for `subject`.
    pub(crate) fn generate(keyring: &Keyring, subject: &str) -> Result<Self, SealError> {
        let mut key = [0_u8; 32];
        rand::rng().fill_bytes(&mut key);
        let wrapper = XChaCha20Poly1305::new(keyring.wrapping_key().into());
        let wrapped = encrypt(&wrapper, &key, subject.as_bytes(), subject)?;
        Ok(Self { cipher: XChaCha20Poly1305::new(&key.into()), wrapped: wrapped.into() })
    }

    /// The key of `subject` as it lies in the database.
    pub(crate) fn unwrap(
        keyring: &Keyring,
        subject: &str,
        wrapped: &[u8],
    ) -> Result<Self, SealError> {
        let wrapper = XChaCha20Poly1305::new(keyring.wrapping_key().into());
        let key = decrypt(&wrapper, wrapped, subject.as_bytes(), subject)?;
        let key = <[u8; 32]>::try_from(key)
            .map_err(|_| SealError::Malformed { pointer: subject.to_owned() })?;
        Ok(Self { cipher: XChaCha20Poly1305::new(&key.into()), wrapped: wrapped.into() })
    }

    /// The key, wrapped by the master key, to go along with what it sealed.
    pub(crate) fn wrapped(&self) -> Arc<[u8]> {
        Arc::clone(&self.wrapped)
    }

    /// Seals bytes that are no part of a payload; `associated` says what they are, and must begin with no event id.
    pub(crate) fn seal_bytes(&self, bytes: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        encrypt(&self.cipher, bytes, associated, "bytes")
    }

    /// Opens what [`SubjectKey::seal_bytes`] sealed.
    pub(crate) fn open_bytes(
        &self,
        sealed: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        decrypt(&self.cipher, sealed, associated, "bytes")
    }
}

/// Whether a payload seals something.
///
/// Fails where a mark is used that only the log may write.
pub(crate) fn seals_something(payload: &Value) -> Result<bool, SealError> {
    fn walk(value: &Value, pointer: &mut String) -> Result<bool, SealError> {
        let mut found = false;
        match value {
            Value::Object(map) => {
                if is_marked(map) {
                    if map.len() == 1 && map.contains_key(SEAL) {
                        return Ok(true);
                    }
                    return Err(SealError::ReservedMark { pointer: pointer.clone() });
                }
                for (name, inner) in map.iter().filter(|(_, inner)| is_nested(inner)) {
                    found |= at(pointer, name, |pointer| walk(inner, pointer))?;
                }
            }
            Value::Array(items) => {
                for (i, inner) in items.iter().enumerate().filter(|(_, inner)| is_nested(inner)) {
                    found |= at(pointer, &i.to_string(), |pointer| walk(inner, pointer))?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Ok(found)
    }
    walk(payload, &mut String::new())
}

/// Replaces each `{"$seal": v}` by `{"$sealed": ..}`.
pub(crate) fn seal(payload: &mut Value, event_id: Uuid, key: &SubjectKey) -> Result<(), SealError> {
    replace(payload, &mut String::new(), SEAL, &mut |pointer, value| {
        let sealed = encrypt(
            &key.cipher,
            value.to_string().as_bytes(),
            &associated(event_id, pointer),
            pointer,
        )?;
        Ok(marked(SEALED, Value::String(BASE64.encode(sealed))))
    })
}

/// Whether something in a payload's text is sealed. Inside a text a quote is written `\"`, so the mark with
/// its quotes can only be a name.
pub(crate) fn is_sealed(payload: &str) -> bool {
    payload.contains(SEALED_NAME)
}

/// The text of a payload with each `{"$sealed": ..}` replaced by `{"$seal": v}`, or without a key by
/// `{"$forgotten": true}`. What is not sealed is copied as it stands.
pub(crate) fn unseal(
    payload: &str,
    event_id: Uuid,
    key: Option<&SubjectKey>,
) -> Result<String, SealError> {
    let mut opened = String::with_capacity(payload.len());
    let unsealing = Unsealing { event_id, key };
    unsealing.copy(payload, &mut String::new(), &mut opened)?;
    Ok(opened)
}

/// The way through one payload.
struct Unsealing<'a> {
    event_id: Uuid,
    key: Option<&'a SubjectKey>,
}

impl Unsealing<'_> {
    fn copy(&self, text: &str, pointer: &mut String, out: &mut String) -> Result<(), SealError> {
        let malformed = |pointer: &str| SealError::Malformed { pointer: pointer.to_owned() };
        if !is_sealed(text) {
            out.push_str(text);
        } else if text.starts_with('[') {
            let items: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|_| malformed(pointer))?;
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { '[' } else { ',' });
                at(pointer, &i.to_string(), |pointer| self.copy(item.get(), pointer, out))?;
            }
            out.push(']');
        } else {
            let Members(members) = serde_json::from_str(text).map_err(|_| malformed(pointer))?;
            if let [(name, sealed)] = members.as_slice()
                && name.0 == SEALED
            {
                return self.open(sealed.get(), pointer, out);
            }
            for (i, (name, value)) in members.iter().enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                out.push_str(&Value::from(name.0.as_ref()).to_string());
                out.push(':');
                at(pointer, &name.0, |pointer| self.copy(value.get(), pointer, out))?;
            }
            out.push('}');
        }
        Ok(())
    }

    fn open(&self, sealed: &str, pointer: &str, out: &mut String) -> Result<(), SealError> {
        let malformed = || SealError::Malformed { pointer: pointer.to_owned() };
        let Some(key) = self.key else {
            out.push_str(FORGOTTEN_MARK);
            return Ok(());
        };
        let Name(text) = serde_json::from_str(sealed).map_err(|_| malformed())?;
        let sealed = BASE64.decode(text.as_bytes()).map_err(|_| malformed())?;
        let opened = decrypt(&key.cipher, &sealed, &associated(self.event_id, pointer), pointer)?;
        out.push_str(SEAL_OPENED);
        out.push_str(str::from_utf8(&opened).map_err(|_| malformed())?);
        out.push('}');
        Ok(())
    }
}

/// A name or a text, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object in their order, their values unread.
struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Replaces each `{"$seal": v}` by `{"$forgotten": true}`.
pub(crate) fn forget(payload: &mut Value) {
    let forgotten = replace(payload, &mut String::new(), SEAL, &mut |_, _| {
        Ok(marked(FORGOTTEN, Value::Bool(true)))
    });
    debug_assert!(forgotten.is_ok(), "nothing here can fail");
}

fn replace(
    value: &mut Value,
    pointer: &mut String,
    mark: &str,
    with: &mut dyn FnMut(&str, &Value) -> Result<Value, SealError>,
) -> Result<(), SealError> {
    match value {
        Value::Object(map) => {
            if let Some(inner) = map.get(mark).filter(|_| map.len() == 1) {
                *value = with(pointer, inner)?;
                return Ok(());
            }
            for (name, inner) in map.iter_mut().filter(|(_, inner)| is_nested(inner)) {
                at(pointer, name, |pointer| replace(inner, pointer, mark, with))?;
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter_mut().enumerate().filter(|(_, inner)| is_nested(inner)) {
                at(pointer, &i.to_string(), |pointer| replace(inner, pointer, mark, with))?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

/// Whether something may be sealed in it: payloads are mostly plain values, and those need no pointer.
fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

/// Runs `inside` with the pointer one step longer (RFC 6901), and takes the step back.
fn at<T>(pointer: &mut String, step: &str, inside: impl FnOnce(&mut String) -> T) -> T {
    let size_before = pointer.len();
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    let result = inside(pointer);
    pointer.truncate(size_before);
    result
}

fn is_marked(map: &Map<String, Value>) -> bool {
    [SEAL, SEALED, FORGOTTEN].iter().any(|mark| map.contains_key(*mark))
}

fn marked(mark: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(mark.to_owned(), value)]))
}

fn associated(event_id: Uuid, pointer: &str) -> Vec<u8> {
    let mut bytes = event_id.as_bytes().to_vec();
    bytes.extend_from_slice(pointer.as_bytes());
    bytes
}

fn encrypt(
    cipher: &XChaCha20Poly1305,
    plain: &[u8],
    associated: &[u8],
    pointer: &str,
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0_u8; NONCE_SIZE_BYTES];
    rand::rng().fill_bytes(&mut nonce);
    let ciphertext = cipher
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: associated })
        .map_err(|_| SealError::TooLarge { pointer: pointer.to_owned() })?;
    Ok([nonce.as_slice(), &ciphertext].concat())
}

fn decrypt(
    cipher: &XChaCha20Poly1305,
    sealed: &[u8],
    associated: &[u8],
    pointer: &str,
) -> Result<Vec<u8>, SealError> {
    let (nonce, ciphertext) = sealed
        .split_at_checked(NONCE_SIZE_BYTES)
        .ok_or_else(|| SealError::Malformed { pointer: pointer.to_owned() })?;
    cipher
        .decrypt(XNonce::from_slice(nonce), Payload { msg: ciphertext, aad: associated })
        .map_err(|_| SealError::WrongKey { pointer: pointer.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(subject: &str) -> SubjectKey {
        SubjectKey::generate(&Keyring::from_bytes([3; 32]), subject).unwrap()
    }

    #[test]
    fn a_sealed_value_comes_back_and_is_not_in_the_stored_text() {
        let given = json!({"name": {"$seal": "Ada"}, "list": [{"$seal": {"lat": 1.5}}], "open": 1});
        let event_id = Uuid::from_u128(1);
        let key = key("user-1");

        let mut payload = given.clone();
        seal(&mut payload, event_id, &key).unwrap();
        let stored = payload.to_string();
        let opened = unseal(&stored, event_id, Some(&key)).unwrap();

        assert!(!stored.contains("Ada") && !stored.contains("lat"));
        assert_eq!(opened, given.to_string());
    }

    #[test]
    fn names_that_need_escapes_lead_to_what_was_sealed_under_them() {
        let given = json!({"a/~\"b\u{0}": [1, {"c": {"$seal": [null, {"d": "\"$sealed\""}]}}], "e": "\"$sealed\""});
        let event_id = Uuid::from_u128(1);
        let key = key("user-1");

        let mut payload = given.clone();
        seal(&mut payload, event_id, &key).unwrap();
        let opened = unseal(&payload.to_string(), event_id, Some(&key)).unwrap();

        assert_eq!(opened, given.to_string());
        assert!(!is_sealed(&opened));
    }

    #[test]
    fn without_the_key_a_value_is_forgotten_and_the_rest_stays() {
        let mut payload = json!({"name": {"$seal": "Ada"}, "open": 1});
        seal(&mut payload, Uuid::from_u128(1), &key("user-1")).unwrap();

        let opened = unseal(&payload.to_string(), Uuid::from_u128(1), None).unwrap();

        assert_eq!(opened, r#"{"name":{"$forgotten":true},"open":1}"#);
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_was_sealed() {
        let key = key("user-1");
        let mut payload = json!({"a": {"$seal": 1}, "b": 2});
        seal(&mut payload, Uuid::from_u128(1), &key).unwrap();
        let moved = json!({"a": 2, "b": payload["a"]});

        let elsewhere = unseal(&moved.to_string(), Uuid::from_u128(1), Some(&key));
        let other_event = unseal(&payload.to_string(), Uuid::from_u128(2), Some(&key));

        assert_eq!(elsewhere, Err(SealError::WrongKey { pointer: "/b".to_owned() }));
        assert_eq!(other_event, Err(SealError::WrongKey { pointer: "/a".to_owned() }));
    }

    #[test]
    fn a_wrapped_key_opens_for_its_subject_alone() {
        let keyring = Keyring::from_bytes([3; 32]);
        let key = SubjectKey::generate(&keyring, "user-1").unwrap();

        assert!(SubjectKey::unwrap(&keyring, "user-1", &key.wrapped()).is_ok());
        assert!(SubjectKey::unwrap(&keyring, "user-2", &key.wrapped()).is_err());
        assert!(
            SubjectKey::unwrap(&Keyring::from_bytes([4; 32]), "user-1", &key.wrapped()).is_err()
        );
    }

    #[test]
    fn the_logs_own_marks_are_refused_from_outside() {
        assert_eq!(seals_something(&json!({"a": [{"$seal": null}]})), Ok(true));
        assert_eq!(seals_something(&json!({"a": ["$seal"]})), Ok(false));
        for reserved in [
            json!({"a": {"$seal": 1, "b": 2}}),
            json!({"a": {"$sealed": "x"}}),
            json!({"a": {"$forgotten": true}}),
        ] {
            let refused = seals_something(&reserved);
            assert_eq!(refused, Err(SealError::ReservedMark { pointer: "/a".to_owned() }));
        }
    }
}
