//! One file: whether it is there, and what it holds.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// A file as its folder shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Length in bytes.
    pub size_bytes: u64,
    /// When it was last changed, in whole milliseconds.
    pub modified_at: DateTime<Utc>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Length and time.
    pub seen: Seen,
    /// BLAKE3 of its bytes in lower-case hex.
    pub blake3: String,
}

/// Looks at a file without opening it; `None` when there is none, or something that is no file. A link is no
/// file: it may lead out of the library.
///
/// # Errors
/// When it cannot be told, for example because a disk does not answer. That does not mean that it is gone.
pub fn look(path: &Path) -> io::Result<Option<Seen>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(seen(&found))),
        Ok(_) => Ok(None),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Reads a file through and says what it holds, in bounded memory.
///
/// # Errors
/// When it cannot be read; [`io::ErrorKind::Interrupted`] when it was written to meanwhile.
pub fn digest(path: &Path) -> io::Result<Digest> {
    let file = File::open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&file)?;
    let after = file.metadata()?;
    if seen(&before) != seen(&after) || hasher.count() != after.len() {
        return Err(io::Error::new(io::ErrorKind::Interrupted, "the file is being written"));
    }
    Ok(Digest { seen: seen(&after), blake3: hasher.finalize().to_hex().to_string() })
}

fn seen(found: &Metadata) -> Seen {
    Seen { size_bytes: found.len(), modified_at: modified_at(found) }
}

/// When a file was last changed, in whole milliseconds; the epoch where the file system does not say.
#[must_use]
pub fn modified_at(found: &Metadata) -> DateTime<Utc> {
    let since = found.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH);
    let millis = since.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    DateTime::from_timestamp_millis(millis.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&file, b"abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(look(&file).unwrap().unwrap().size_bytes, 3);
        assert_eq!(look(&link).unwrap(), None);
        assert_eq!(look(&folder.path().join("c")).unwrap(), None);
        assert_eq!(look(&file.join("d")).unwrap(), None);
        let expected = blake3::hash(b"abc").to_hex().to_string();
        assert_eq!(digest(&file).unwrap().blake3, expected);
    }
}
