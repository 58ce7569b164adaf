//! The folders that a library is told to read: whether they may be read, and whether they are there.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// Why a folder cannot be an import path, in Immich's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// It lies in the data folder, or the data folder in it.
    #[error("Cannot use media upload folder for external libraries")]
    InDataFolder,
    /// It depends on where the server was started, or climbs.
    #[error("Import path must be absolute, try {0}")]
    NotAbsolute(String),
    /// There is nothing there.
    #[error("Path does not exist (ENOENT)")]
    Missing,
    /// There is something else.
    #[error("Not a directory")]
    NotAFolder,
    /// The server may not read it.
    #[error("Lacking read permission for folder")]
    Unreadable,
    /// The file system said something else.
    #[error("{0}")]
    Other(String),
}

/// A folder that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Number of the file system.
    pub device: u64,
    /// Number of the folder in it.
    pub inode: u64,
    /// Whether nothing lies in it: perhaps what is mounted there is away.
    pub is_empty: bool,
}

/// Looks at an import path; blocks. `data` is the folder of this server, which no library may read: it would
/// find its own originals, and keys.
///
/// # Errors
/// [`PathRefusal`] says why it cannot be one, or is not now.
pub fn check_root(path: &str, data: &Path) -> Result<Root, PathRefusal> {
    let given = Path::new(path);
    let plain = given.is_absolute()
        && given.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !plain || path.len() > 1 && path.ends_with('/') || path.contains("//") {
        return Err(PathRefusal::NotAbsolute(settled(given)));
    }
    let real = fs::canonicalize(given).map_err(|error| refusal(&error))?;
    let data = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    if real.starts_with(&data) || data.starts_with(&real) {
        return Err(PathRefusal::InDataFolder);
    }
    let found = fs::metadata(&real).map_err(|error| refusal(&error))?;
    if !found.is_dir() {
        return Err(PathRefusal::NotAFolder);
    }
    let mut entries = fs::read_dir(&real).map_err(|error| refusal(&error))?;
    let is_empty = entries.next().is_none();
    Ok(Root { device: found.dev(), inode: found.ino(), is_empty })
}

fn refusal(error: &io::Error) -> PathRefusal {
    match error.kind() {
        io::ErrorKind::NotFound => PathRefusal::Missing,
        io::ErrorKind::NotADirectory => PathRefusal::NotAFolder,
        io::ErrorKind::PermissionDenied => PathRefusal::Unreadable,
        _ => PathRefusal::Other(error.to_string()),
    }
}

/// The path without `.`, `..` and double slashes, taken from the root.
fn settled(path: &Path) -> String {
    let mut settled = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => settled.push(name),
            Component::ParentDir => drop(settled.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    settled.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_folder_is_no_import_path() {
        let folder = tempfile::tempdir().unwrap();
        let (data, photos) = (folder.path().join("data"), folder.path().join("photos"));
        fs::create_dir_all(data.join("library")).unwrap();
        fs::create_dir(&photos).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        let check = |path: &Path| check_root(path.to_str().unwrap(), &data);
        for inside in [&data, &data.join("library"), &link, &folder.path().to_owned()] {
            assert_eq!(check(inside).unwrap_err(), PathRefusal::InDataFolder, "{inside:?}");
        }
        assert!(check(&photos).unwrap().is_empty);
        fs::write(photos.join("a.jpg"), b"a").unwrap();
        assert!(!check(&photos).unwrap().is_empty);
        assert_eq!(check(&photos.join("a.jpg")).unwrap_err(), PathRefusal::NotAFolder);
        assert_eq!(check(&photos.join("b")).unwrap_err(), PathRefusal::Missing);
    }

    #[test]
    fn path_must_be_said_from_the_root() {
        let check = |path: &str| check_root(path, Path::new("/no/data")).unwrap_err().to_string();
        assert_eq!(check("a/b"), "Import path must be absolute, try /a/b");
        assert_eq!(check("/a/../b/"), "Import path must be absolute, try /b");
        assert_eq!(check(""), "Import path must be absolute, try /");
    }
}
