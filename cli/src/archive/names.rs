//! Names inside archives, which may say anything.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Folders inside one another.
const DEPTH_MAX: usize = 256;
/// The longest name with its folders, in bytes, as Linux has it.
const NAME_BYTES_MAX: usize = 4_096;

/// Folders and name, relative; a leading slash means nothing in an archive.
///
/// # Errors
/// Why it is not to be used.
pub(super) fn inside(name: &Path) -> Result<PathBuf, &'static str> {
    let bytes = name.as_os_str().as_encoded_bytes();
    if bytes.len() > NAME_BYTES_MAX {
        return Err("its name is too long");
    }
    if bytes.contains(&0) {
        return Err("its name has a zero byte in it");
    }
    let mut path = PathBuf::new();
    for part in name.components() {
        match part {
            std::path::Component::Normal(part) => path.push(part),
            std::path::Component::ParentDir => return Err("its name leads out of the archive"),
            std::path::Component::CurDir
            | std::path::Component::RootDir
            | std::path::Component::Prefix(_) => {}
        }
    }
    if path.as_os_str().is_empty() {
        return Err("it has no name");
    }
    if path.components().count() > DEPTH_MAX {
        return Err("it lies in too many folders");
    }
    Ok(path)
}

/// A name in a zip archive. Programs write UTF-8 without saying so; `told` is what the archive says that it is. Some
/// programs of Windows write backslashes.
pub(super) fn of_zip(raw: &[u8], told: &str) -> PathBuf {
    let name = std::str::from_utf8(raw).unwrap_or(told);
    let name = if name.contains('/') { name.to_owned() } else { name.replace('\\', "/") };
    PathBuf::from(name)
}

/// A name in a tar archive: bytes, as file systems of Unix have them.
pub(super) fn of_tar(raw: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(OsStr::from_bytes(raw))
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(OsStr::new(&*String::from_utf8_lossy(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_out() {
        let inside = |name: &str| inside(Path::new(name)).map(|it| it.display().to_string());
        assert_eq!(inside("a/./b.jpg").unwrap(), "a/b.jpg");
        assert_eq!(inside("/etc/b.jpg").unwrap(), "etc/b.jpg");
        for name in ["", "/", "../a.jpg", "a/../../b.jpg", "a\0.jpg"] {
            inside(name).unwrap_err();
        }
        inside(&"x/".repeat(DEPTH_MAX + 1)).unwrap_err();
        inside(&"x".repeat(NAME_BYTES_MAX + 1)).unwrap_err();
    }

    #[test]
    fn names_of_zip_archives_are_told_from_their_bytes() {
        assert_eq!(of_zip("é.jpg".as_bytes(), "Ã©.jpg"), Path::new("é.jpg"));
        // CP437, which is no UTF-8: the archive's own word counts.
        assert_eq!(of_zip(b"\x82.jpg", "é.jpg"), Path::new("é.jpg"));
        assert_eq!(of_zip(b"a\\b.jpg", "a\\b.jpg"), Path::new("a/b.jpg"));
    }
}
