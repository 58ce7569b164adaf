//! Files inside archives, read where they lie: nothing is unpacked to disk.
//!
//! Archives come from anywhere: whatever they claim is checked against what there is, and every list, name and
//! expansion has a limit.

mod gzip;
mod names;
mod tarball;
mod zipped;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use crate::digest::Digests;

/// Files of one archive.
const MEMBERS_MAX: usize = 1_000_000;
/// How many times longer than its compressed form a file may be; photos and films are a few times at most.
const EXPANSION_MAX: u64 = 200;
/// Below this many bytes expansion is not looked at.
const EXPANSION_FREE_BYTES: u64 = 64 << 20;

/// An archive that was looked through.
#[derive(Debug)]
pub(crate) struct Archive {
    path: Arc<Path>,
    /// Length and time of the archive itself.
    state: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Zip(zipped::Zip),
    Tar(tarball::Tar),
    Gzip(gzip::Gzip),
}

/// A file of an archive.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its place in the archive's own order.
    pub(crate) place: usize,
    /// Folders and name; leads nowhere out.
    pub(crate) name: PathBuf,
    pub(crate) size_bytes: u64,
    pub(crate) modified: DateTime<Utc>,
    /// Known where the archive had to be read for its list.
    pub(crate) digests: Option<Digests>,
}

/// Something in an archive that cannot be imported.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// None where the archive as a whole is meant.
    pub(crate) name: Option<PathBuf>,
    pub(crate) why: String,
    /// Whether it might have been a photo.
    pub(crate) is_failure: bool,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) members: Vec<Member>,
    pub(crate) unreadable: Vec<Unreadable>,
}

impl Listing {
    fn refuse(&mut self, name: Option<PathBuf>, why: impl Into<String>) {
        self.unreadable.push(Unreadable { name, why: why.into(), is_failure: true });
    }

    fn pass_over(&mut self, name: PathBuf, why: &str) {
        let why = why.to_owned();
        self.unreadable.push(Unreadable { name: Some(name), why, is_failure: false });
    }

    /// Whether there is room for one more; tells once where there is none.
    fn has_room(&mut self) -> bool {
        let has_room = self.members.len().max(self.unreadable.len()) < MEMBERS_MAX;
        if !has_room {
            self.refuse(None, format!("it has more than {MEMBERS_MAX} files"));
        }
        has_room
    }
}

/// Whether a name is that of an archive that can be read.
pub(crate) fn is_archive(path: &Path) -> bool {
    kind_of(path).is_some()
}

fn kind_of(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let endings = [(".zip", "zip"), (".tar", "tar"), (".tar.gz", "gzip"), (".tgz", "gzip")];
    endings.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| kind)
}

/// Looks through an archive. A compressed tar archive is read as a whole for that, and digested on the way.
///
/// # Errors
/// When nothing of it can be read.
pub(crate) fn open(path: &Path) -> anyhow::Result<(Arc<Archive>, Listing)> {
    let metadata = std::fs::metadata(path).context("failed to open the archive")?;
    let written = metadata.modified().map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from);
    let state = format!("{} {}", metadata.len(), written.to_rfc3339());
    let path: Arc<Path> = path.into();
    let (kind, listing) = match kind_of(&path) {
        Some("zip") => {
            let (zip, listing) = zipped::open(&path, metadata.len())?;
            (Kind::Zip(zip), listing)
        }
        Some("tar") => {
            let (tar, listing) = tarball::open(&path, metadata.len())?;
            (Kind::Tar(tar), listing)
        }
        Some(_) => {
            let (gzip, listing) = gzip::open(&path)?;
            (Kind::Gzip(gzip), listing)
        }
        None => anyhow::bail!("it is no archive that can be read"),
    };
    Ok((Arc::new(Archive { path, state, kind }), listing))
}

impl Archive {
    /// Reads a file of it from the beginning, until `take` says that it wants no more.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is longer than it says.
    pub(crate) fn read(&self, place: usize, take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
        match &self.kind {
            Kind::Zip(zip) => zip.read(&self.path, place, take),
            Kind::Tar(tar) => tar.read(&self.path, place, take),
            Kind::Gzip(gzip) => gzip.read(&self.path, place, take),
        }
    }

    /// What tells a file of it from every other.
    pub(crate) fn identity(&self, place: usize) -> Vec<u8> {
        let mut identity = self.path.as_os_str().as_encoded_bytes().to_owned();
        identity.extend(format!("\0{}\0{place}", self.state).into_bytes());
        identity
    }
}

/// Whether that many bytes can honestly come of so many compressed ones.
const fn is_bomb(size_bytes: u64, compressed_bytes: u64) -> bool {
    size_bytes > EXPANSION_FREE_BYTES && size_bytes > compressed_bytes.saturating_mul(EXPANSION_MAX)
}

#[cfg(test)]
mod tests;
