//! Tar archives: their heads are read once, and each file where it lies.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tar::{Entry, EntryType};

use super::{Listing, Member, names};
use crate::content::chunks;

/// Bytes of a block.
const BLOCK_BYTES: u64 = 512;

/// Bytes that may stand before a file: its head, long names and what else is said of it, padded. Names are 4 KiB at
/// most; the rest is what programs for backups write.
const HEAD_BYTES_MAX: u64 = 1 << 20;

/// How much of an archive may still be read as what stands before a file; none, where a file itself is read.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadRoom(Rc<Cell<Option<u64>>>);

impl HeadRoom {
    /// The next entry, which has a bounded head; so many bytes of the one before are read over first.
    pub(super) fn next<T>(&self, entries: &mut impl Iterator<Item = T>, over: u64) -> Option<T> {
        self.0.set(Some(over.saturating_add(HEAD_BYTES_MAX)));
        let entry = entries.next();
        self.0.set(None);
        entry
    }

    /// The same reader, with this bound.
    pub(super) fn around<R>(&self, inner: R) -> Bounded<R> {
        Bounded { inner, room: self.clone() }
    }
}

/// A reader with a bound on heads: the crate `tar` reads names of any length into memory.
pub(super) struct Bounded<R> {
    inner: R,
    room: HeadRoom,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if let Some(room) = self.room.0.get() {
            let left = room.checked_sub(u64::try_from(length).unwrap_or(u64::MAX));
            let left =
                left.ok_or_else(|| io::Error::other("what stands before a file is too long"))?;
            self.room.0.set(Some(left));
        }
        Ok(length)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Where a file lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// From the beginning of the archive, in bytes.
    pub(super) begin: u64,
    pub(super) size_bytes: u64,
}

/// A tar archive's list.
#[derive(Debug)]
pub(super) struct Tar {
    spans: Vec<Span>,
}

/// Reads all heads.
///
/// # Errors
/// When it cannot be opened, or the first head is none.
pub(super) fn open(path: &Path, archive_bytes: u64) -> anyhow::Result<(Tar, Listing)> {
    let file = File::open(path).context("failed to open the archive")?;
    let room = HeadRoom::default();
    let mut archive = tar::Archive::new(room.around(BufReader::new(file)));
    let (mut listing, mut spans) = (Listing::default(), Vec::new());
    let mut end: u64 = 0;
    let mut entries = archive.entries_with_seek().context("it is no tar archive")?;
    while let Some(entry) = room.next(&mut entries, 0) {
        if !listing.has_room() {
            break;
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                listing.refuse(None, cut_off(&error));
                return Ok((Tar { spans }, listing));
            }
        };
        let span = Span { begin: entry.raw_file_position(), size_bytes: entry.size() };
        end = span.begin.saturating_add(span.size_bytes);
        let Some((name, modified)) = head(&entry, &mut listing) else { continue };
        if end > archive_bytes {
            listing.refuse(Some(name), "the archive was cut off before its end");
            return Ok((Tar { spans }, listing));
        }
        let size_bytes = span.size_bytes;
        let place = spans.len();
        spans.push(span);
        listing.members.push(Member { place, name, size_bytes, modified, digests: None });
    }
    // A block of zeros says that this was all.
    if archive_bytes < end.saturating_add(BLOCK_BYTES) {
        listing.refuse(None, "it was cut off; what lies before that is imported");
    }
    Ok((Tar { spans }, listing))
}

impl Tar {
    pub(super) fn read(
        &self,
        path: &Path,
        place: usize,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        let span = self.spans.get(place).ok_or_else(gone)?;
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(span.begin))?;
        chunks(&mut file.take(span.size_bytes), take)
    }
}

/// The name of a file, and when it was written; tells of what is no file.
pub(super) fn head<R: Read>(
    entry: &Entry<'_, R>,
    listing: &mut Listing,
) -> Option<(PathBuf, DateTime<Utc>)> {
    let kind = entry.header().entry_type();
    if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
        return None;
    }
    let name = match names::inside(&names::of_tar(&entry.path_bytes())) {
        Ok(name) => name,
        Err(why) => {
            let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let shown: String = raw.chars().filter(|it| !it.is_control()).take(255).collect();
            listing.refuse(Some(shown.into()), why);
            return None;
        }
    };
    match kind {
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Link | EntryType::Symlink => {
            listing.pass_over(name, "a link inside an archive");
            return None;
        }
        EntryType::GNUSparse => {
            listing.refuse(Some(name), "it is stored with holes, which cannot be read");
            return None;
        }
        _ => {
            listing.pass_over(name, "not a file");
            return None;
        }
    }
    let seconds = entry.header().mtime().ok().and_then(|it| i64::try_from(it).ok());
    let modified = seconds.and_then(|it| DateTime::from_timestamp(it, 0));
    Some((name, modified.unwrap_or(DateTime::UNIX_EPOCH)))
}

/// What is told of an archive that ends in the middle.
pub(super) fn cut_off(error: &io::Error) -> String {
    format!("it was cut off or damaged; what lies before that is imported: {error}")
}

/// A place that the list does not have.
pub(super) fn gone() -> io::Error {
    io::Error::other("the archive has no such file")
}
