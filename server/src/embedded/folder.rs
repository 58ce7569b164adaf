//! The data folder, and the lock that says "a server has this folder open".
//!
//! It makes and names the folders of the embedded servers; what lies in the others is not its
//! business.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{EmbeddedError, file};

/// The lock file, in the folder `run`.
const LOCK_FILE: &str = "calotype.lock";
/// Longest process id that is read from the lock file.
const PID_BYTES_MAX: u64 = 16;

/// An open data folder. While the value lives, no other process can open the same folder; the
/// lock goes with the process, so a crash leaves none behind.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder for this process alone, making it if it is missing.
    ///
    /// # Errors
    /// `AlreadyOpen` if another process has it open, `PathNotUtf8`, or `File` if a folder or
    /// file cannot be made.
    pub fn open_exclusive(path: &Path) -> Result<Self, EmbeddedError> {
        let (root, mut lock) = prepare(path)?;
        locked(lock.try_lock(), &root, &mut lock)?;
        write_pid(&mut lock).map_err(file("write", &lock_in(&root)))?;
        Ok(Self { root, _lock: lock })
    }

    /// Opens the folder beside other processes that do the same: for processes that divide the work over
    /// one database and NATS server elsewhere.
    ///
    /// # Errors
    /// As [`DataFolder::open_exclusive`]; `AlreadyOpen` if a process has it open for itself alone.
    pub fn open_shared(path: &Path) -> Result<Self, EmbeddedError> {
        let (root, mut lock) = prepare(path)?;
        locked(lock.try_lock_shared(), &root, &mut lock)?;
        Ok(Self { root, _lock: lock })
    }

    /// Opens a folder for this process alone as it is: nothing is made, and nothing changes hands. Nothing where
    /// no server had the folder open yet.
    ///
    /// # Errors
    /// As [`DataFolder::open_exclusive`].
    pub fn open_as_it_is(path: &Path) -> Result<Option<Self>, EmbeddedError> {
        let root = resolve(path)?;
        let lock_path = lock_in(&root);
        let mut lock = match OpenOptions::new().read(true).write(true).open(&lock_path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file("open", &lock_path)(source)),
        };
        locked(lock.try_lock(), &root, &mut lock)?;
        write_pid(&mut lock).map_err(file("write", &lock_path))?;
        Ok(Some(Self { root, _lock: lock }))
    }

    /// The folder itself, as an absolute path without symbolic links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Sockets, process ids and the lock.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Secrets; only we read them.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The database.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        database_in(&self.root)
    }

    /// The store of JetStream.
    #[must_use]
    pub fn nats(&self) -> PathBuf {
        self.root.join("nats")
    }
}

/// What tells who has a folder open: whoever runs the server owns it.
pub(super) fn lock_in(root: &Path) -> PathBuf {
    root.join("run").join(LOCK_FILE)
}

/// Where a folder's own database is.
pub(super) fn database_in(root: &Path) -> PathBuf {
    root.join("postgres")
}

fn resolve(path: &Path) -> Result<PathBuf, EmbeddedError> {
    let root = path.canonicalize().map_err(file("resolve", path))?;
    if root.to_str().is_none() {
        return Err(EmbeddedError::PathNotUtf8 { path: root });
    }
    Ok(root)
}

/// Makes the folder, and opens its lock file.
fn prepare(path: &Path) -> Result<(PathBuf, File), EmbeddedError> {
    make_folder(path)?;
    let root = resolve(path)?;
    make_folder(&root.join("run"))?;
    open_for_children(&root)?;
    let lock_path = lock_in(&root);
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(file("open", &lock_path))?;
    Ok((root, lock))
}

/// Refuses where somebody else holds the lock.
fn locked(
    tried: Result<(), TryLockError>,
    root: &Path,
    lock: &mut File,
) -> Result<(), EmbeddedError> {
    match tried {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(EmbeddedError::AlreadyOpen { path: root.to_owned(), pid: read_pid(lock) })
        }
        Err(TryLockError::Error(source)) => Err(file("lock", &lock_in(root))(source)),
    }
}

/// Makes a folder and its parents. Root's folders may be passed through, though not listed, by
/// others, because the servers run as another user; anybody else's are private.
fn make_folder(path: &Path) -> Result<(), EmbeddedError> {
    if path.is_dir() {
        return Ok(());
    }
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(file("make", path))
}

/// Lets the servers' user pass through a data folder that root made in private. Folders above it
/// are not ours to open.
fn open_for_children(root: &Path) -> Result<(), EmbeddedError> {
    let metadata = root.metadata().map_err(file("look at", root))?;
    let mode = metadata.mode();
    let ours = rustix::process::geteuid().is_root() && metadata.uid() == 0;
    if !ours || mode & 0o001 != 0 {
        return Ok(());
    }
    let opened = Permissions::from_mode(mode & 0o7777 | 0o011);
    std::fs::set_permissions(root, opened).map_err(file("change the mode of", root))
}

fn read_pid(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(PID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(lock: &mut File) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_opens_once_and_again_after_it_was_closed() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataFolder::open_exclusive(parent.path()).unwrap();

        let second = DataFolder::open_exclusive(parent.path());
        drop(first);
        let third = DataFolder::open_exclusive(parent.path());

        let own_pid = std::process::id();
        assert!(
            matches!(second, Err(EmbeddedError::AlreadyOpen { pid, .. }) if pid == Some(own_pid))
        );
        assert!(third.is_ok());
    }

    #[test]
    fn a_folder_that_is_opened_as_it_is_gets_nothing_new() {
        let parent = tempfile::tempdir().unwrap();
        assert!(DataFolder::open_as_it_is(parent.path()).unwrap().is_none());
        assert_eq!(parent.path().read_dir().unwrap().count(), 0);

        drop(DataFolder::open_exclusive(parent.path()).unwrap());
        let folder = DataFolder::open_as_it_is(parent.path()).unwrap();
        assert!(folder.is_some());
        assert!(DataFolder::open_exclusive(parent.path()).is_err());
        assert!(DataFolder::open_as_it_is(parent.path()).is_err());
        drop(folder);
        assert!(DataFolder::open_as_it_is(&parent.path().join("nowhere")).is_err());
    }

    #[test]
    fn a_folder_is_shared_by_many_or_belongs_to_one() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataFolder::open_shared(parent.path()).unwrap();
        let second = DataFolder::open_shared(parent.path()).unwrap();
        drop(first);
        assert!(DataFolder::open_exclusive(parent.path()).is_err());
        drop(second);
        let alone = DataFolder::open_exclusive(parent.path()).unwrap();
        assert!(DataFolder::open_shared(parent.path()).is_err());
        drop(alone);
    }
}
