//! The master key: lies outside the database, wraps the subjects' keys, names reservations.
//!
//! `keys/master.key` holds 32 random bytes as 64 hexadecimal digits. Whoever loses it loses every sealed
//! value and every reservation; it is backed up apart from the log.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use rand::RngCore;
use sha2::Sha256;

use crate::error::StoreError;

const MASTER_FILE: &str = "master.key";
const SECRET_SIZE_BYTES: usize = 32;

/// Keys that are derived from the master key. Cheap to clone; never printed.
#[derive(Clone)]
pub struct Keyring {
    derived: Arc<Derived>,
}

struct Derived {
    wrap: [u8; SECRET_SIZE_BYTES],
    hmac: [u8; SECRET_SIZE_BYTES],
}

impl Keyring {
    /// Reads `master.key` in `keys_dir`; makes it (and the folder) where it is missing.
    ///
    /// The file is made whole, readable by its owner only, and synced before it is used.
    ///
    /// # Errors
    /// The file cannot be read, made or understood. A damaged file is never replaced.
    pub fn open(keys_dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let master = secret_file(keys_dir.as_ref(), MASTER_FILE, true)?;
        Ok(Self::from_bytes(master))
    }

    /// A keyring over the given master key.
    #[must_use]
    pub fn from_bytes(master: [u8; 32]) -> Self {
        let derived = Derived {
            wrap: hmac_sha256(&master, &[b"calotype/wrap-subject-keys/1"]),
            hmac: hmac_sha256(&master, &[b"calotype/reservations/1"]),
        };
        Self { derived: Arc::new(derived) }
    }

    /// Keyed digest of `value` within `domain` (such as `user-email`), as 64 hexadecimal digits.
    ///
    /// The same value in two domains gives two digests; without the master key none can be checked.
    #[must_use]
    pub fn hmac(&self, domain: &str, value: &str) -> String {
        let domain_size = u64::try_from(domain.len()).unwrap_or(u64::MAX).to_be_bytes();
        let digest =
            hmac_sha256(&self.derived.hmac, &[&domain_size, domain.as_bytes(), value.as_bytes()]);
        to_hex(&digest)
    }

    /// The key that wraps the subjects' keys.
    pub(crate) fn wrapping_key(&self) -> &[u8; 32] {
        &self.derived.wrap
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// 32 bytes that only our files hold, as hexadecimal digits; made where they are missing and `may_make`.
///
/// The file is made whole, readable by its owner only, and synced before it is used.
pub(crate) fn secret_file(
    keys_dir: &Path,
    name: &str,
    may_make: bool,
) -> Result<[u8; SECRET_SIZE_BYTES], StoreError> {
    let path = keys_dir.join(name);
    let failed = |attempt| {
        let path = path.clone();
        move |error: io::Error| StoreError::Keyring { attempt, path, source: Arc::new(error) }
    };
    if !path.try_exists().map_err(failed("look for"))? {
        if !may_make {
            return Err(failed("find")(io::ErrorKind::NotFound.into()));
        }
        make_secret_file(keys_dir, name, &path).map_err(failed("make"))?;
    }
    let text = fs::read_to_string(&path).map_err(failed("read"))?;
    parse_hex(text.trim()).ok_or_else(|| {
        failed("understand")(io::Error::new(
            io::ErrorKind::InvalidData,
            "expected 64 hexadecimal digits",
        ))
    })
}

/// Of two processes that come at once, one makes the file and both read it: a hard link never replaces.
fn make_secret_file(keys_dir: &Path, name: &str, path: &Path) -> io::Result<()> {
    fs::create_dir_all(keys_dir)?;
    let mut random = [0_u8; SECRET_SIZE_BYTES];
    rand::rng().fill_bytes(&mut random);
    let draft_path = keys_dir.join(format!("{name}.{}", to_hex(&random_suffix())));

    let mut draft =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft_path)?;
    draft.write_all(to_hex(&random).as_bytes())?;
    draft.write_all(b"\n")?;
    draft.sync_all()?;
    let linked = fs::hard_link(&draft_path, path);
    fs::remove_file(&draft_path)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(keys_dir)?.sync_all()
}

fn random_suffix() -> [u8; 8] {
    let mut suffix = [0_u8; 8];
    rand::rng().fill_bytes(&mut suffix);
    suffix
}

fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;

    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        #[expect(clippy::expect_used, reason = "writing to a String never fails")]
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    if text.len() != bytes.len() * 2 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys_dir = folder.path().join("keys");

        let made = Keyring::open(&keys_dir).unwrap();
        let read = Keyring::open(&keys_dir).unwrap();

        assert_eq!(made.hmac("slug", "holiday"), read.hmac("slug", "holiday"));
        let mode = fs::metadata(keys_dir.join(MASTER_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&keys_dir).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MASTER_FILE), "not a key").unwrap();

        let refused = Keyring::open(folder.path());

        assert!(matches!(refused, Err(StoreError::Keyring { attempt: "understand", .. })));
        assert_eq!(fs::read_to_string(folder.path().join(MASTER_FILE)).unwrap(), "not a key");
    }

    #[test]
    fn digests_differ_by_domain_and_by_master_key() {
        let keyring = Keyring::from_bytes([1; 32]);
        let digest = keyring.hmac("user-email", "a@example.com");

        assert_eq!(digest.len(), 64);
        assert_ne!(digest, keyring.hmac("slug", "a@example.com"));
        assert_ne!(digest, Keyring::from_bytes([2; 32]).hmac("user-email", "a@example.com"));
        assert_ne!(keyring.hmac("ab", "c"), keyring.hmac("a", "bc"));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", Keyring::from_bytes([7; 32])), "Keyring(..)");
    }
}
