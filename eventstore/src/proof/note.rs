//! Signed heads as text: C2SP's tlog-checkpoint in a signed-note.
//!
//! ```text
//! calotype/<log id>
//! <size>
//! <root, base64>
//! <when it was signed>
//!
//! — calotype/<log id> <base64 of key id and signature>
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::hash::Hash;
use super::key::{ProofKey, PublicKey};
use super::rotation::Rotation;

/// What stands before the log's id in the name of a log.
const NAME: &str = "calotype/";
const SIGNATURE_MARK: &str = "— ";
/// The second line of a receipt.
const RECEIPT: &str = "receipt";
/// The second line of what says that a key follows another.
pub(super) const KEY: &str = "key";
/// Bytes of a key's id before its signature.
const KEY_ID_BYTES: usize = 4;
/// The longest text of heads that is read, in bytes: about 100,000 heads.
const TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which log; a reset of test data begins another one.
    pub log_id: Uuid,
    /// Leaves of the tree: the head covers positions 1 to this.
    pub size: u64,
    /// Hash over them.
    pub root: Hash,
    /// When it was signed, to the microsecond.
    pub signed_at: DateTime<Utc>,
}

/// A signed head as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub head: Head,
    /// The whole text, with its signatures.
    pub text: String,
}

impl Head {
    /// Signs it.
    #[must_use]
    pub fn sign(self, key: &ProofKey) -> Note {
        let name = name(self.log_id);
        let body = format!(
            "{name}\n{}\n{}\n{}\n",
            self.size,
            STANDARD.encode(self.root),
            self.signed_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        );
        Note { text: signed(&body, &name, &[key]), head: self }
    }
}

/// A receipt of the log, signed: what it says, line by line. It begins as a head does, and its second line, which is
/// no size, keeps it from being taken for one.
#[must_use]
pub fn sign_receipt(log_id: Uuid, lines: &[String], key: &ProofKey) -> String {
    let name = name(log_id);
    signed(&format!("{name}\n{RECEIPT}\n{}\n", lines.join("\n")), &name, &[key])
}

/// Whether a text is a receipt that this key of this log signed.
#[must_use]
pub fn is_receipt(text: &str, log_id: Uuid, key: &PublicKey) -> bool {
    let name = name(log_id);
    text.starts_with(&format!("{name}\n{RECEIPT}\n")) && is_signed(text, &name, key)
}

/// A text with the signatures of these keys.
pub(super) fn signed(body: &str, name: &str, keys: &[&ProofKey]) -> String {
    let mut text = format!("{body}\n");
    for key in keys {
        let mut signature = key.public().id(name).to_vec();
        signature.extend_from_slice(&key.sign(body.as_bytes()));
        text.extend([SIGNATURE_MARK, name, " ", &STANDARD.encode(signature), "\n"]);
    }
    text
}

pub(super) fn is_signed(text: &str, name: &str, key: &PublicKey) -> bool {
    let Some((body, signatures)) = text.split_once("\n\n") else { return false };
    let body = format!("{body}\n");
    signatures.lines().any(|line| {
        line.strip_prefix(SIGNATURE_MARK)
            .and_then(|line| line.strip_prefix(name)?.strip_prefix(' '))
            .and_then(|signature| STANDARD.decode(signature).ok())
            .and_then(|bytes| {
                let (key_id, signature) = bytes.split_at_checked(KEY_ID_BYTES)?;
                (key_id == key.id(name)).then(|| key.has_signed(body.as_bytes(), signature))
            })
            .unwrap_or(false)
    })
}

impl Note {
    /// Reads a head; its signature is not looked at. None where the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = format!("{}\n", text.replace("\r\n", "\n").trim_matches('\n'));
        let (body, _) = text.split_once("\n\n")?;
        let mut lines = body.lines();
        let log_id = log_of(lines.next()?)?;
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let signed_at = DateTime::parse_from_rfc3339(lines.next()?).ok()?.to_utc();
        Some(Self { head: Head { log_id, size, root, signed_at }, text })
    }

    /// Reads all heads of a file, one after the other, and says how many texts are neither heads nor keys that
    /// follow others.
    #[must_use]
    pub fn parse_all(text: &str) -> (Vec<Self>, usize) {
        let (mut notes, mut unreadable) = (Vec::new(), 0);
        for text in texts(text) {
            match Self::parse(&text) {
                Some(note) => notes.push(note),
                None if Rotation::parse(&text).is_some() => {}
                None => unreadable += 1,
            }
        }
        (notes, unreadable)
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        is_signed(&self.text, &name(self.head.log_id), key)
    }
}

/// The texts of a file, each with its signatures.
pub(super) fn texts(text: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut lines = text.get(..TEXT_BYTES_MAX).unwrap_or(text).lines().peekable();
    loop {
        while lines.next_if(|line| line.trim().is_empty()).is_some() {}
        let mut note = String::new();
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty()) {
            note.push_str(line);
            note.push('\n');
        }
        if note.is_empty() {
            return texts;
        }
        lines.next_if(|line| line.trim().is_empty());
        note.push('\n');
        while let Some(line) = lines.next_if(|line| line.starts_with(SIGNATURE_MARK)) {
            note.push_str(line);
            note.push('\n');
        }
        texts.push(note);
    }
}

/// The log that a name is of.
pub(super) fn log_of(name: &str) -> Option<Uuid> {
    name.strip_prefix(NAME)?.parse().ok()
}

/// The name of a log and of the key that signs its heads.
pub(super) fn name(log_id: Uuid) -> String {
    format!("{NAME}{log_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(key: &ProofKey, size: u64) -> Note {
        let signed_at = DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap();
        let root = super::super::hash::leaf_hash(&size.to_be_bytes());
        Head { log_id: Uuid::from_u128(5), size, root, signed_at }.sign(key)
    }

    #[test]
    fn a_signed_head_is_read_back_and_its_signature_holds() {
        let key = ProofKey::from_seed([3; 32]);
        let note = note(&key, 300);
        let read = Note::parse(&note.text).unwrap();
        assert_eq!(read, note);
        assert!(read.is_signed_by(key.public()));
        assert!(!read.is_signed_by(ProofKey::from_seed([4; 32]).public()));
    }

    #[test]
    fn a_changed_head_is_not_signed() {
        let key = ProofKey::from_seed([3; 32]);
        let text = note(&key, 300).text;
        for (from, to) in [("\n300\n", "\n301\n"), ("123456Z", "123457Z"), ("— ", "- ")] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let signed = Note::parse(&changed).is_some_and(|it| it.is_signed_by(key.public()));
            assert!(!signed, "{changed}");
        }
    }

    #[test]
    fn a_receipt_is_signed_and_no_head() {
        let (key, log_id) = (ProofKey::from_seed([3; 32]), Uuid::from_u128(5));
        let text = sign_receipt(log_id, &["erased user x".to_owned()], &key);
        assert!(is_receipt(&text, log_id, key.public()));
        assert!(!is_receipt(&text.replace("user x", "user y"), log_id, key.public()));
        assert!(!is_receipt(&text, Uuid::from_u128(6), key.public()));
        assert_eq!(Note::parse(&text), None);
        assert!(!is_receipt(&note(&key, 300).text, log_id, key.public()));
    }

    #[test]
    fn a_file_of_heads_is_read_one_by_one() {
        let key = ProofKey::from_seed([3; 32]);
        let [first, second] = [note(&key, 1), note(&key, 2)];
        let text = format!("{}\n{}\nnonsense\n\n", first.text, second.text);
        assert_eq!(Note::parse_all(&text), (vec![first, second], 1));
        assert_eq!(Note::parse_all(""), (Vec::new(), 0));
    }
}
