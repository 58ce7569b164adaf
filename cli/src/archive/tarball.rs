//! Tar archives: their heads are read once, and each file where it lies.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tar::{Entry, EntryType};

use super::{Listing, Member, names};
use crate::content::chunks;

/// Bytes of a block.
const BLOCK_BYTES: u64 = 512;

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
    let mut archive = tar::Archive::new(BufReader::new(file));
    let (mut listing, mut spans) = (Listing::default(), Vec::new());
    let mut end: u64 = 0;
    for entry in archive.entries_with_seek().context("it is no tar archive")? {
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
