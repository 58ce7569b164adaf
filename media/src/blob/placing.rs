//! Files of this machine that become blobs without going through the network: the importer puts them into the folder
//! of a server that runs beside it. What lies under a key is known to be what the key says, so a file gets its name
//! only after it was seen that it is still what was read for its digests, and after the disk has it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD};
use tempfile::TempPath;

use super::store::{BlobStore, TMP_PREFIX};
use super::writer::in_background;
use super::{BlobError, BlobKey};

/// Clocks of file systems are coarse: what was changed so shortly before it was read may have been changed after.
const CLOCK_GRAIN: Duration = Duration::from_secs(1);

/// How a file becomes a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// Copied in the kernel; where the file system can, the copy shares its blocks until either is written to.
    Copy,
    /// One file with two names, where that is possible, else copied. Whoever writes into the one writes into the
    /// other.
    Link,
}

/// A file that is to become a blob.
#[derive(Clone, Debug)]
pub struct FileHere {
    /// Where it lies.
    pub source: PathBuf,
    /// The key it gets.
    pub key: BlobKey,
    /// Its length in bytes when it was read.
    pub size_bytes: u64,
    /// BLAKE3 of what was read, in lower-case hex.
    pub blake3: String,
    /// A moment before it was read, where that was lately. A file that did not change since is not read again.
    pub read_after: Option<SystemTime>,
}

/// A file that became a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Whether it is one file with two names now.
    pub is_linked: bool,
}

/// A file on its way.
enum Ready {
    There,
    Named(TempPath, Placed),
}

impl BlobStore {
    /// Opens the store beside a server that has it open. Nothing in it is made or cleaned away.
    ///
    /// # Errors
    /// [`BlobError::Prepare`] when there is no store, or it is another user's.
    pub async fn beside(root: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let root = root.into();
        in_background(move || {
            let library = root.join("library");
            let told = |source| BlobError::Prepare { path: library.clone(), source };
            let owner = fs::metadata(&library).map_err(told)?.uid();
            let own = rustix::process::geteuid().as_raw();
            if owner != own {
                let why = format!(
                    "it belongs to the user {owner} and not to {own}: run the command as that user, with `sudo -u \
                     '#{owner}'` before it"
                );
                return Err(told(io::Error::new(io::ErrorKind::PermissionDenied, why)));
            }
            Self::in_folder(root)
        })
        .await
    }

    /// Puts files under their keys, durably, with few waits for the disk. What lies under a key already stays, where
    /// it is what the key says. The answers are in the order of the files; what stands in one is for people.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses: then no file is surely there.
    pub async fn place(
        &self,
        files: Vec<FileHere>,
        how: Placing,
    ) -> Result<Vec<Result<Placed, String>>, BlobError> {
        let store = self.clone();
        in_background(move || {
            let prepared: Vec<Result<Ready, io::Error>> =
                files.iter().map(|file| store.prepare(file, how)).collect();
            store.flush()?;
            let placed = files.iter().zip(prepared).map(|(file, ready)| {
                match ready.map_err(|error| error.to_string())? {
                    Ready::There => Ok(Placed { is_linked: false }),
                    Ready::Named(path, placed) => {
                        let named = store.give_name(path, &file.key);
                        named.map(|()| placed).map_err(|error| told(&error))
                    }
                }
            });
            let placed = placed.collect();
            store.flush()?;
            Ok(placed)
        })
        .await
    }

    fn prepare(&self, file: &FileHere, how: Placing) -> io::Result<Ready> {
        let target = self.path_of(&file.key);
        match fs::metadata(&target) {
            Ok(_) if is_same(&target, file)? => return Ok(Ready::There),
            // A link whose source somebody wrote to since.
            Ok(_) => fs::remove_file(&target)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let opened = File::open(&file.source)?;
        let before = opened.metadata()?;
        if !before.is_file() || before.len() != file.size_bytes {
            return Err(changed());
        }
        let is_trusted = file.read_after.is_some_and(|at| changed_at(&before) + CLOCK_GRAIN < at);
        if how == Placing::Link
            && let Some(path) = self.link(&file.source, &before)?
        {
            if !is_trusted && !is_same(&path, file)? {
                return Err(changed());
            }
            return Ok(Ready::Named(path, Placed { is_linked: true }));
        }
        let copy = self.new_tmp().map_err(io::Error::other)?;
        if rustix::fs::ioctl_ficlone(copy.as_file(), &opened).is_err() {
            io::copy(&mut &opened, &mut copy.as_file())?;
        }
        let path = copy.into_temp_path();
        let is_still = seen(&opened.metadata()?) == seen(&before);
        if !is_still || fs::metadata(&path)?.len() != file.size_bytes {
            return Err(changed());
        }
        if !is_trusted && !is_same(&path, file)? {
            return Err(changed());
        }
        Ok(Ready::Named(path, Placed { is_linked: false }))
    }

    /// A second name in `tmp/` for a file of ours; nothing where it cannot have one.
    fn link(&self, source: &Path, opened: &Metadata) -> io::Result<Option<TempPath>> {
        // Of somebody else's file the server could neither rely on the bytes nor on being allowed to read them.
        if opened.uid() != rustix::process::geteuid().as_raw() {
            return Ok(None);
        }
        let linked = tempfile::Builder::new().prefix(TMP_PREFIX).make_in(self.tmp(), |path| {
            Ok(rustix::fs::linkat(CWD, source, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
        });
        let path = match linked {
            Ok(linked) => linked.into_temp_path(),
            Err(error) if is_unlinkable(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let linked = fs::symlink_metadata(&path)?;
        if (linked.dev(), linked.ino()) != (opened.dev(), opened.ino()) {
            return Err(changed());
        }
        Ok(Some(path))
    }

    /// A store in a folder that is there.
    pub(super) fn in_folder(root: PathBuf) -> Result<Self, BlobError> {
        let path = root.join("tmp");
        let disk = File::open(&path).map_err(|source| BlobError::Prepare { path, source })?;
        Ok(Self {
            root,
            bucket: None,
            disk: Arc::new(disk),
            flushing: Arc::default(),
            has_refused: Arc::default(),
        })
    }
}

/// Whether the bytes of a file are those that were read.
fn is_same(path: &Path, file: &FileHere) -> io::Result<bool> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.count() == file.size_bytes && hasher.finalize().to_hex().as_str() == file.blake3)
}

/// An error with its cause.
fn told(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn changed() -> io::Error {
    io::Error::other("the file was changed meanwhile")
}

/// What changes with every write to a file.
fn seen(file: &Metadata) -> (u64, u64, u64, i64, i64) {
    (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

/// When anything about a file last changed; no program can set this.
fn changed_at(file: &Metadata) -> SystemTime {
    let seconds = u64::try_from(file.ctime()).unwrap_or_default();
    let nanoseconds = u32::try_from(file.ctime_nsec()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
}

/// Whether a file cannot have a second name in the store: it lies on another file system, or has too many.
fn is_unlinkable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::CrossesDevices
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TooManyLinks
            | io::ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(source: &Path, bytes: &[u8], key: &str) -> FileHere {
        FileHere {
            source: source.to_owned(),
            key: BlobKey::parse(key).unwrap(),
            size_bytes: u64::try_from(bytes.len()).unwrap(),
            blake3: blake3::hash(bytes).to_hex().to_string(),
            read_after: None,
        }
    }

    async fn opened(root: &Path) -> BlobStore {
        drop(BlobStore::open(root).await.unwrap());
        BlobStore::beside(root).await.unwrap()
    }

    #[tokio::test]
    async fn files_are_placed_once_as_copies_and_as_links() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder.path().join("data")).await;
        let source = folder.path().join("a.jpg");
        fs::write(&source, b"picture").unwrap();
        let link = folder.path().join("link.jpg");
        std::os::unix::fs::symlink(&source, &link).unwrap();
        let copied = incoming(&source, b"picture", "upload/u/aa/bb/a.jpg");
        let linked = incoming(&link, b"picture", "upload/u/aa/cc/a.jpg");
        for _ in 0..2 {
            let placed = store.place(vec![copied.clone()], Placing::Copy).await.unwrap();
            assert_eq!(placed, [Ok(Placed { is_linked: false })]);
        }
        let placed = store.place(vec![linked.clone()], Placing::Link).await.unwrap();
        assert_eq!(placed, [Ok(Placed { is_linked: true })]);
        let inode = |path: &Path| fs::symlink_metadata(path).unwrap().ino();
        assert_ne!(inode(&store.local_path(&copied.key).unwrap()), inode(&source));
        assert_eq!(inode(&store.local_path(&linked.key).unwrap()), inode(&source));
        assert_eq!(fs::read(store.local_path(&copied.key).unwrap()).unwrap(), b"picture");
        assert_eq!(fs::read_dir(folder.path().join("data/tmp")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn file_that_is_not_what_was_read_is_not_placed() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder.path().join("data")).await;
        let source = folder.path().join("a.jpg");
        fs::write(&source, b"PICTURE").unwrap();
        for how in [Placing::Copy, Placing::Link] {
            for bytes in [b"picture".as_slice(), b"longer picture"] {
                let file = incoming(&source, bytes, "upload/u/aa/bb/a.jpg");
                let placed = store.place(vec![file.clone()], how).await.unwrap();
                assert_eq!(placed, [Err("the file was changed meanwhile".to_owned())], "{how:?}");
                assert!(!store.local_path(&file.key).unwrap().exists());
            }
        }
        assert_eq!(fs::read_dir(folder.path().join("data/tmp")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn link_that_was_written_to_is_replaced_by_what_the_key_says() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder.path().join("data")).await;
        let (source, other) = (folder.path().join("a.jpg"), folder.path().join("b.jpg"));
        fs::write(&source, b"picture").unwrap();
        fs::write(&other, b"picture").unwrap();
        let file = incoming(&source, b"picture", "upload/u/aa/bb/a.jpg");
        store.place(vec![file.clone()], Placing::Link).await.unwrap();
        fs::write(&source, b"PICTURE").unwrap();
        let again = FileHere { source: other, ..file.clone() };
        let placed = store.place(vec![again], Placing::Copy).await.unwrap();
        assert_eq!(placed, [Ok(Placed { is_linked: false })]);
        assert_eq!(fs::read(store.local_path(&file.key).unwrap()).unwrap(), b"picture");
        assert_eq!(fs::read(&source).unwrap(), b"PICTURE");
    }
}
