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
        make_folder(path)?;
        let root = path.canonicalize().map_err(file("resolve", path))?;
        if root.to_str().is_none() {
            return Err(EmbeddedError::PathNotUtf8 { path: root });
        }
        let run = root.join("run");
        make_folder(&run)?;
        open_for_children(&root)?;

        let lock_path = run.join(LOCK_FILE);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(file("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(EmbeddedError::AlreadyOpen { path: root, pid: read_pid(&mut lock) });
            }
            Err(TryLockError::Error(source)) => return Err(file("lock", &lock_path)(source)),
        }
        write_pid(&mut lock).map_err(file("write", &lock_path))?;
        Ok(Self { root, _lock: lock })
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
        self.root.join("postgres")
    }

    /// The store of JetStream.
    #[must_use]
    pub fn nats(&self) -> PathBuf {
        self.root.join("nats")
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
}
