//! Objects as files of a folder: written beside, synced, and renamed into place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use futures::stream::{BoxStream, StreamExt as _};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use walkdir::WalkDir;

use super::{Listed, ObjectError, file};

/// Where objects are written before they have their names.
const DRAFTS: &str = "tmp";
/// Held by who works in the folder.
const LOCK: &str = "lock";
/// What the names of drafts begin with; only these are removed.
const DRAFT_PREFIX: &str = "draft-";
/// Names of a listing that wait to be taken.
const LISTED_WAITING_MAX: usize = 1_000;

pub(super) fn drafts(root: &Path) -> PathBuf {
    root.join(DRAFTS)
}

/// Makes a file for a draft, readable by its owner only.
pub(super) fn draft(folder: &Path) -> Result<NamedTempFile, ObjectError> {
    make(folder).map_err(file("make", folder))?;
    let made = tempfile::Builder::new().prefix(DRAFT_PREFIX).tempfile_in(folder);
    made.map_err(file("make a file in", folder))
}

pub(super) fn lock(root: &Path) -> Result<File, ObjectError> {
    make(root).map_err(file("make", root))?;
    let path = root.join(LOCK);
    let opened =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let held = opened.map_err(file("open", &path))?;
    match held.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(ObjectError::Busy { path: root.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(file("lock", &path)(source)),
    }
    let folder = drafts(root);
    clear(&folder).map_err(file("clear", &folder))?;
    Ok(held)
}

/// Nobody writes drafts while the lock is held by who removes them.
fn clear(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(DRAFT_PREFIX.as_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

pub(super) fn put(root: &Path, name: &str, draft: NamedTempFile) -> Result<(), ObjectError> {
    let path = root.join(name);
    let parent = path.parent().unwrap_or(root).to_owned();
    draft.as_file().sync_all().map_err(file("write", draft.path()))?;
    make(&parent).map_err(file("make", &parent))?;
    draft.persist(&path).map_err(|error| file("put into place", &path)(error.error))?;
    sync(&parent).map_err(file("sync", &parent))
}

/// Makes a folder and its missing parents for its owner alone; each is synced in its parent.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync(parent.unwrap_or(Path::new("."))),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn list(
    root: PathBuf,
    folder: String,
) -> BoxStream<'static, Result<Listed, ObjectError>> {
    let (told, listed) = mpsc::channel(LISTED_WAITING_MAX);
    // Ends when nobody takes any more.
    tokio::task::spawn_blocking(move || {
        let below = root.join(&folder);
        if !below.exists() {
            return;
        }
        for entry in WalkDir::new(&below).follow_links(false) {
            let item = match entry {
                Ok(entry) if !entry.file_type().is_file() => continue,
                Ok(entry) => {
                    let name = entry.path().strip_prefix(&root).ok().and_then(Path::to_str);
                    let Some(name) = name.map(str::to_owned) else { continue };
                    match entry.metadata() {
                        Ok(found) => Ok(Listed { name, size_bytes: found.len() }),
                        Err(error) => Err(file("look at", entry.path())(error.into())),
                    }
                }
                Err(error) => Err(file("list", &below)(error.into())),
            };
            if told.blocking_send(item).is_err() {
                return;
            }
        }
    });
    futures::stream::unfold(listed, |mut listed| async {
        listed.recv().await.map(|item| (item, listed))
    })
    .boxed()
}
