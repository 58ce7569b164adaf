//! Compressed tar archives. They can only be read from their beginning, so that they are read once for the list and the
//! digests, and once more for each file that is sent at the same time as others; what is there already costs no second
//! reading. A few readers stay where they are, and a file is read by the one that is nearest before it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use calotype_media::kind::{Family, by_name};
use flate2::read::MultiGzDecoder;

use super::tarball::{HeadRoom, Span, cut_off, gone, head};
use super::{Listing, Member, is_bomb};
use crate::content::{CHUNK_BYTES, chunks};
use crate::digest::Hashing;

/// Readers that wait for their next file.
const READERS_MAX: usize = 8;

/// A compressed tar archive's list.
#[derive(Debug)]
pub(super) struct Gzip {
    spans: Vec<Span>,
    readers: Mutex<Vec<Reader>>,
}

/// Reads the whole archive.
///
/// # Errors
/// When it cannot be opened, or is none.
pub(super) fn open(path: &Path) -> anyhow::Result<(Gzip, Listing)> {
    let (reader, room) =
        (Reader::open(path).context("failed to open the archive")?, HeadRoom::default());
    let mut archive = tar::Archive::new(room.around(reader));
    let (mut listing, mut spans) = (Listing::default(), Vec::new());
    let mut entries = archive.entries().context("it is no compressed tar archive")?;
    let mut over = 0;
    while let Some(entry) = room.next(&mut entries, std::mem::take(&mut over)) {
        if !listing.has_room() {
            break;
        }
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                listing.refuse(None, cut_off(&error));
                break;
            }
        };
        let Some((name, modified)) = head(&entry, &mut listing) else {
            // What is stored of it is no part of the next one's head; holes are not stored.
            over = entry.header().entry_size().unwrap_or_default().max(entry.size());
            continue;
        };
        let span = Span { begin: entry.raw_file_position(), size_bytes: entry.size() };
        let is_media = name
            .file_name()
            .and_then(|name| by_name(&name.to_string_lossy()))
            .is_some_and(|it| it.family != Family::Sidecar);
        let mut hashing = Hashing::default();
        let read = chunks(&mut entry, &mut |chunk| {
            if is_media {
                hashing.update(chunk);
            }
            true
        });
        if let Err(error) = read {
            listing.refuse(Some(name), cut_off(&error));
            break;
        }
        let digests = is_media.then(|| hashing.finish());
        if digests.as_ref().is_some_and(|it| it.size_bytes != span.size_bytes) {
            listing.refuse(Some(name), "the archive was cut off before its end");
            break;
        }
        let (place, size_bytes) = (spans.len(), span.size_bytes);
        spans.push(span);
        listing.members.push(Member { place, name, size_bytes, modified, digests });
    }
    Ok((Gzip { spans, readers: Mutex::default() }, listing))
}

impl Gzip {
    pub(super) fn read(
        &self,
        path: &Path,
        place: usize,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        let span = self.spans.get(place).ok_or_else(gone)?;
        let mut reader = match self.nearest(span.begin) {
            Some(reader) => reader,
            None => Reader::open(path)?,
        };
        reader.skip_to(span.begin)?;
        let mut part = reader.take(span.size_bytes);
        chunks(&mut part, take)?;
        self.keep(part.into_inner());
        Ok(())
    }

    fn nearest(&self, begin: u64) -> Option<Reader> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let before = readers.iter().enumerate().filter(|(_, reader)| reader.at <= begin);
        let (place, _) = before.max_by_key(|(_, reader)| reader.at)?;
        Some(readers.swap_remove(place))
    }

    fn keep(&self, reader: Reader) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.push(reader);
        if readers.len() > READERS_MAX
            && let Some((place, _)) = readers.iter().enumerate().min_by_key(|(_, it)| it.at)
        {
            drop(readers.swap_remove(place));
        }
    }
}

/// A place in the expanded archive.
#[derive(Debug)]
struct Reader {
    inner: MultiGzDecoder<BufReader<Counted>>,
    compressed_bytes: Arc<AtomicU64>,
    /// Bytes that were expanded.
    at: u64,
}

/// Counts what is read from the file.
#[derive(Debug)]
struct Counted {
    file: File,
    read_bytes: Arc<AtomicU64>,
}

impl Reader {
    fn open(path: &Path) -> io::Result<Self> {
        let compressed_bytes = Arc::new(AtomicU64::new(0));
        let read_bytes = Arc::clone(&compressed_bytes);
        let counted = Counted { file: File::open(path)?, read_bytes };
        let inner = MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, counted));
        Ok(Self { inner, compressed_bytes, at: 0 })
    }

    fn skip_to(&mut self, begin: u64) -> io::Result<()> {
        let left = begin.saturating_sub(self.at);
        chunks(&mut self.by_ref().take(left), &mut |_| true)?;
        if self.at == begin { Ok(()) } else { Err(gone()) }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.at = self.at.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if is_bomb(self.at, self.compressed_bytes.load(Ordering::Relaxed)) {
            return Err(io::Error::other("it would become far longer than photos and films do"));
        }
        Ok(length)
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.read_bytes.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(length)
    }
}
