//! The key that signs heads: apart from the log, beside the master key.
//!
//! `keys/proof.key` holds the 32 bytes of an Ed25519 seed as 64 hexadecimal digits. Whoever has it and the
//! database can sign another history, so heads go out of this machine too.

use std::path::Path;
use std::sync::Arc;
use std::{fmt, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::note::name;
use crate::error::StoreError;
use crate::keyring::secret_file;

const KEY_FILE: &str = "proof.key";
/// A key that is about to follow; it takes the place of the other once the database says so.
const NEXT_FILE: &str = "proof.key.next";
/// How C2SP's signed-note calls Ed25519.
const ED25519_TYPE: u8 = 1;
const PUBLIC_BYTES: usize = 32;

/// Signs heads. Cheap to clone; never printed.
#[derive(Clone)]
pub struct ProofKey {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

/// Tells whether a head was signed by a [`ProofKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; PUBLIC_BYTES]);

impl ProofKey {
    /// Reads `proof.key` in `keys_dir`; makes it where it is missing and `may_make`.
    ///
    /// # Errors
    /// The file cannot be read, made or understood, or is missing and may not be made. A damaged file is never
    /// replaced.
    pub fn open(keys_dir: impl AsRef<Path>, may_make: bool) -> Result<Self, StoreError> {
        secret_file(keys_dir.as_ref(), KEY_FILE, may_make).map(Self::from_seed)
    }

    /// Reads the key that is about to follow; makes it where it is missing and `may_make`.
    ///
    /// # Errors
    /// As [`ProofKey::open`].
    pub fn open_next(keys_dir: impl AsRef<Path>, may_make: bool) -> Result<Self, StoreError> {
        secret_file(keys_dir.as_ref(), NEXT_FILE, may_make).map(Self::from_seed)
    }

    /// Puts the key that was about to follow in the place of the other, which is gone then. Nothing where another
    /// process has done it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn promote(keys_dir: impl AsRef<Path>) -> io::Result<()> {
        let folder = keys_dir.as_ref();
        match fs::rename(folder.join(NEXT_FILE), folder.join(KEY_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::File::open(folder)?.sync_all()
    }

    /// A key made of the given seed.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it does not")]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "any 32 bytes are a seed (RFC 8032, 5.1.5)")]
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed of 32 bytes");
        let mut public = [0; PUBLIC_BYTES];
        public.copy_from_slice(pair.public_key().as_ref());
        Self { pair: Arc::new(pair), public: PublicKey(public) }
    }

    /// The key that tells its signatures.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey(..)")
    }
}

impl PublicKey {
    /// The key with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads what [`PublicKey::text`] wrote; none where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, key_id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(key).ok()?;
        let (kind, bytes) = bytes.split_first()?;
        let key = Self::from_bytes(bytes)?;
        (*kind == ED25519_TYPE && key_id == hex(key.id(name))).then_some(key)
    }

    /// The key of a log as C2SP's signed-note writes it: name, id and key.
    #[must_use]
    pub fn text(&self, log_id: Uuid) -> String {
        let name = name(log_id);
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.0);
        format!("{name}+{}+{}", hex(self.id(&name)), STANDARD.encode(key))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; PUBLIC_BYTES] {
        &self.0
    }

    /// The beginning of a digest over name and key, by which notes name who signed.
    pub(super) fn id(&self, name: &str) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', ED25519_TYPE]);
        hasher.update(self.0);
        let digest = hasher.finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", STANDARD.encode(self.0))
    }
}

fn hex(bytes: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_not_where_it_may_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            ProofKey::open(folder.path(), false),
            Err(StoreError::Keyring { attempt: "find", .. })
        ));
        let made = ProofKey::open(folder.path(), true).unwrap();
        let read = ProofKey::open(folder.path(), false).unwrap();
        assert_eq!(made.public(), read.public());
        assert_eq!(format!("{made:?}"), "ProofKey(..)");
    }

    #[test]
    fn a_damaged_key_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_FILE), "not a key").unwrap();
        let refused = ProofKey::open(folder.path(), true);
        assert!(matches!(refused, Err(StoreError::Keyring { attempt: "understand", .. })));
        assert_eq!(fs::read_to_string(folder.path().join(KEY_FILE)).unwrap(), "not a key");
    }

    #[test]
    fn a_public_key_is_read_back() {
        let key = ProofKey::from_seed([9; 32]);
        let text = key.public().text(Uuid::from_u128(1));
        assert_eq!(PublicKey::parse(&text), Some(*key.public()));
        assert_eq!(PublicKey::parse(&text.replace("calotype/", "other/")), None);
    }

    #[test]
    fn signatures_are_those_of_the_standard() {
        // RFC 8032 (7.1), test 1: an empty message.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let seed: Vec<u8> =
            (0..32).map(|i| u8::from_str_radix(&seed[2 * i..2 * i + 2], 16).unwrap()).collect();
        let key = ProofKey::from_seed(seed.try_into().unwrap());
        assert_eq!(key.public().as_bytes()[..4], [0xd7, 0x5a, 0x98, 0x01]);
        assert_eq!(key.sign(b"")[..4], [0xe5, 0x56, 0x43, 0x00]);
    }
}
