//! Zip archives: the list at their end is read, and each file where it lies.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, Utc};
use zip::read::ZipArchiveMetadata;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::{Listing, Member, is_bomb, names};
use crate::content::chunks;

/// A zip archive's list.
#[derive(Debug)]
pub(super) struct Zip {
    list: Arc<ZipArchiveMetadata>,
}

/// Reads the list.
///
/// # Errors
/// When there is none, as in an archive that was cut off.
pub(super) fn open(path: &Path, archive_bytes: u64) -> anyhow::Result<(Zip, Listing)> {
    let file = File::open(path).context("failed to open the archive")?;
    let archive = ZipArchive::new(io::BufReader::new(file))
        .context("it is no zip archive, or was cut off: its list of files is missing")?;
    let list = archive.metadata();
    let mut listing = Listing::default();
    let mut compressed_bytes: u64 = 0;
    for place in 0..list.len() {
        if !listing.has_room() {
            break;
        }
        let entry = match list.entry(place) {
            Ok(entry) => entry,
            Err(error) => {
                listing.refuse(None, format!("its list of files is damaged: {error}"));
                continue;
            }
        };
        if entry.is_dir() {
            continue;
        }
        compressed_bytes = compressed_bytes.saturating_add(entry.compressed_size());
        let told = entry.name().map_or_else(
            |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
            std::borrow::Cow::into_owned,
        );
        let raw_name = names::of_zip(entry.name_raw(), &told);
        let name = match names::inside(&raw_name) {
            Ok(name) => name,
            Err(why) => {
                listing.refuse(Some(shown(&told)), why);
                continue;
            }
        };
        if entry.is_symlink() {
            listing.pass_over(name, "a link inside an archive");
        } else if entry.encrypted() {
            listing.refuse(Some(name), "it is encrypted");
        } else if !can_be_read(entry.compression()) {
            listing.refuse(
                Some(name),
                format!("it is compressed in a way that cannot be read: {}", entry.compression()),
            );
        } else if is_bomb(entry.size(), entry.compressed_size()) {
            listing.refuse(Some(name), "it would become far longer than photos and films do");
        } else {
            let modified = modified(entry.last_modified());
            let size_bytes = entry.size();
            listing.members.push(Member { place, name, size_bytes, modified, digests: None });
        }
    }
    // Files that share their bytes are how small archives become endless.
    anyhow::ensure!(compressed_bytes <= archive_bytes, "files in it lie over one another");
    if list.has_duplicate_names() {
        listing.refuse(None, "it has several files of one name; the last of each is read");
    }
    Ok((Zip { list }, listing))
}

impl Zip {
    pub(super) fn read(
        &self,
        path: &Path,
        place: usize,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        let mut file = File::open(path)?;
        let entry = self.list.entry(place).map_err(broken)?;
        let size_bytes = entry.size();
        let member = entry.with_reader(&mut file, ZipReadOptions::new()).map_err(broken)?;
        let mut read_bytes: u64 = 0;
        let mut is_longer = false;
        // One byte more than it says shows that it lies; its checksum is compared at its end.
        chunks(&mut member.take(size_bytes.saturating_add(1)), &mut |chunk| {
            read_bytes = read_bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            is_longer = read_bytes > size_bytes;
            !is_longer && take(chunk)
        })?;
        if is_longer {
            return Err(io::Error::other("it is longer than the archive says"));
        }
        Ok(())
    }
}

fn can_be_read(method: CompressionMethod) -> bool {
    matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated)
}

/// Zip archives keep the clock of the place where they were made, and not where that was.
fn modified(at: Option<zip::DateTime>) -> DateTime<Utc> {
    let at = at.and_then(|at| {
        let date = NaiveDate::from_ymd_opt(at.year().into(), at.month().into(), at.day().into())?;
        date.and_hms_opt(at.hour().into(), at.minute().into(), at.second().into())
    });
    at.map_or(DateTime::UNIX_EPOCH, |at| at.and_utc())
}

/// A name that is only told.
fn shown(name: &str) -> std::path::PathBuf {
    let name: String = name.chars().filter(|it| !it.is_control()).take(255).collect();
    name.into()
}

fn broken(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::other(format!("it is damaged: {error}")),
    }
}
