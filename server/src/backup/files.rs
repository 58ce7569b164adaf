//! Originals, sidecars and people's own pictures, by their digest. What is made of originals is made again.
//!
//! A file is there before the event that names it, and the list is read after the position was fixed: every file that
//! an event up to it names is listed, unless it was deleted for good since.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use calotype_eventstore::backup::{Frame, Table};
use calotype_media::blob::{BlobKey, BlobStore};
use calotype_media::objects::Objects;
use calotype_projections::Queries;
use calotype_projections::integrity::StoredFile;
use futures::StreamExt as _;
use futures::TryStreamExt as _;
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::manifest::Manifest;
use super::part::{Part, PartWriter, read};
use super::{Digest, Progress, count, size};
use crate::operator::Live;

/// What the list says that it is, and the folder of lists.
const PART: &str = "files";
/// The folder of files.
const BLOBS: &str = "blobs";
/// Assets that are looked at together.
const PAGE: i64 = 1_000;
/// Files that are copied at once.
const COPIES_AT_ONCE: usize = 4;
/// Bytes that are copied at once.
const PIECE_BYTES: usize = 1 << 20;
/// How often a file is looked for that was moved meanwhile.
const TRIES_MAX: u32 = 3;
/// The most losses that are told one by one.
const LOST_MAX: usize = 10_000;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    /// Of the asset of that id.
    Original,
    /// The XMP file beside the asset's original.
    Sidecar,
    /// The picture of the account of that id.
    Profile,
}

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: FileKind,
    /// Of the asset or account.
    pub(crate) id: Uuid,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
}

/// An original that is not in the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    asset_id: Uuid,
    recorded: Digest,
    /// None where there is no file.
    found: Option<Digest>,
}

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) files: u64,
    pub(super) new: u64,
    pub(super) new_bytes: u64,
    /// Deleted for good while the backup was made.
    pub(super) gone: u64,
    pub(super) lost: Vec<Lost>,
    /// Assets whose events wait, so that their files are not known.
    pub(super) parked: u64,
}

/// The name of a file in the backup.
pub(crate) fn blob_name(digest: Digest) -> String {
    let text = digest.to_string();
    format!("{BLOBS}/{}/{text}", text.get(..2).unwrap_or_default())
}

/// The digests of all files that are there. About 50 bytes of memory for each.
pub(super) async fn present(objects: &Objects) -> anyhow::Result<HashSet<Digest>> {
    let mut found = HashSet::new();
    let mut listed = objects.list(BLOBS);
    while let Some(item) = listed.try_next().await? {
        let name = item.name.rsplit('/').next().unwrap_or_default();
        found.extend(name.parse::<Digest>().ok());
    }
    Ok(found)
}

/// Copies what is not there yet, and writes the list.
pub(super) async fn copy(
    live: &Live,
    manifest: &mut Manifest,
    objects: &Objects,
) -> anyhow::Result<Copied> {
    let copier = Copier {
        blobs: live.blobs().await?,
        queries: live.core.queries.clone(),
        objects: objects.clone(),
        present: Mutex::new(present(objects).await?),
    };
    let writer = PartWriter::begin(objects, PART).await?;
    let mut copied = Copied::default();
    let listed = Box::pin(copier.copy_all(manifest, &writer, &mut copied)).await;
    if let Err(error) = listed {
        // What was copied stays: the next backup goes on from there.
        return Err(error.context("not all files could be copied; run the backup again"));
    }
    let id = &manifest.id;
    manifest.files = Some(writer.finish(Ok(()), objects, |_| format!("{PART}/{id}.gz")).await?);
    let parked: i64 = sqlx::query_scalar(
        "select count(distinct stream_id) from work.parked
          where kind = 'projection' and starts_with(stream_id, 'asset-')",
    )
    .fetch_one(&live.core.pool)
    .await?;
    copied.parked = u64::try_from(parked).unwrap_or_default();
    Ok(copied)
}

struct Copier {
    blobs: BlobStore,
    queries: Queries,
    objects: Objects,
    present: Mutex<HashSet<Digest>>,
}

/// What became of a file.
#[derive(Clone, Copy)]
enum Outcome {
    Listed(Entry, bool),
    Gone,
    Lost(Lost),
}

/// What was read of a file.
enum Read {
    Stored(Entry, bool),
    Missing,
    /// It is not what was recorded; its digest.
    Other(Digest),
}

impl Copier {
    async fn copy_all(
        &self,
        manifest: &mut Manifest,
        writer: &PartWriter,
        copied: &mut Copied,
    ) -> anyhow::Result<()> {
        let table = Table::new("backup.files", &["kind", "id", "blake3", "size_bytes"]);
        let closed = "the list of files cannot be written";
        writer.frames.send(Frame::Table(table)).await.context(closed)?;
        let total = u64::try_from(self.queries.stored_count().await?).unwrap_or_default();
        let mut progress = Progress::new();
        let (mut after, mut assets) = (Uuid::nil(), 0_u64);
        loop {
            let page = self.queries.stored_after(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.asset_id;
            let mut outcomes = futures::stream::iter(page)
                .map(|file| self.asset(file))
                .buffer_unordered(COPIES_AT_ONCE);
            let mut lines = String::new();
            while let Some(outcomes) = outcomes.try_next().await? {
                assets += 1;
                outcomes.into_iter().for_each(|it| note(it, manifest, copied, &mut lines));
                progress.tell(|| {
                    let (done, new) = (count(assets), size(copied.new_bytes));
                    format!("files: {done} of {} assets, {new} new", count(total))
                });
            }
            writer.frames.send(Frame::Rows(lines.into())).await.context(closed)?;
        }
        let mut lines = String::new();
        for user in self.queries.users(true).await? {
            let Some(key) = user.profile_image_key else { continue };
            let key = BlobKey::parse(&key)?;
            let wanted = (FileKind::Profile, user.user_id, None);
            if let Read::Stored(entry, is_new) = self.file(&key, wanted).await? {
                note(Outcome::Listed(entry, is_new), manifest, copied, &mut lines);
            }
        }
        writer.frames.send(Frame::Rows(lines.into())).await.context(closed)
    }

    /// The files of an asset.
    async fn asset(&self, file: StoredFile) -> anyhow::Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        if let Some(key) = &file.sidecar_key {
            let key = BlobKey::parse(key)?;
            let wanted = (FileKind::Sidecar, file.asset_id, None);
            // One that is away was moved or written anew; what people said of the photo is in the log, too.
            if let Read::Stored(entry, is_new) = self.file(&key, wanted).await? {
                outcomes.push(Outcome::Listed(entry, is_new));
            }
        }
        outcomes.push(self.original(file).await?);
        Ok(outcomes)
    }

    async fn original(&self, mut file: StoredFile) -> anyhow::Result<Outcome> {
        let recorded: Digest = file
            .blake3
            .parse()
            .with_context(|| format!("asset {} has no digest", file.asset_id))?;
        let mut tries = 0;
        loop {
            tries += 1;
            let key = BlobKey::parse(&file.original_key)?;
            let wanted = (FileKind::Original, file.asset_id, Some((recorded, &file)));
            let found = match self.file(&key, wanted).await? {
                Read::Stored(entry, is_new) => return Ok(Outcome::Listed(entry, is_new)),
                Read::Missing => None,
                Read::Other(found) => Some(found),
            };
            let now = self.queries.stored(&[file.asset_id]).await?.pop();
            match now {
                None => return Ok(Outcome::Gone),
                Some(now) if now != file && tries < TRIES_MAX => file = now,
                Some(_) => {
                    return Ok(Outcome::Lost(Lost { asset_id: file.asset_id, recorded, found }));
                }
            }
        }
    }

    /// Puts a file into the backup, unless it is there.
    async fn file(
        &self,
        key: &BlobKey,
        (kind, id, recorded): (FileKind, Uuid, Option<(Digest, &StoredFile)>),
    ) -> anyhow::Result<Read> {
        let entry = |digest, size_bytes| Entry { kind, id, digest, size_bytes };
        if let Some((digest, file)) = recorded
            && self.is_present(digest)
        {
            let size_bytes = u64::try_from(file.size_bytes).unwrap_or_default();
            return Ok(Read::Stored(entry(digest, size_bytes), false));
        }
        let Some(lies) = self.blobs.fetch(key).await? else { return Ok(Read::Missing) };
        let draft = self.objects.draft().await?;
        let copying = tokio::task::spawn_blocking(move || copy_file(lies.path(), draft));
        let copied = copying.await.context("copying was cut off")?;
        let copied = copied.with_context(|| format!("failed to copy a file of {id}"))?;
        let Some((draft, digest, size_bytes)) = copied else { return Ok(Read::Missing) };
        if recorded.is_some_and(|(recorded, _)| recorded != digest) {
            return Ok(Read::Other(digest));
        }
        let is_new = !self.is_present(digest);
        if is_new {
            self.objects.put_file(&blob_name(digest), draft).await?;
            self.present.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
        Ok(Read::Stored(entry(digest, size_bytes), is_new))
    }

    fn is_present(&self, digest: Digest) -> bool {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest)
    }
}

fn note(outcome: Outcome, manifest: &mut Manifest, copied: &mut Copied, lines: &mut String) {
    match outcome {
        Outcome::Listed(entry, is_new) => {
            copied.files += 1;
            manifest.files_total += 1;
            manifest.file_bytes_total += entry.size_bytes;
            if is_new {
                copied.new += 1;
                copied.new_bytes += entry.size_bytes;
            }
            lines.push_str(&entry.line());
        }
        Outcome::Gone => copied.gone += 1,
        Outcome::Lost(lost) if copied.lost.len() < LOST_MAX => copied.lost.push(lost),
        Outcome::Lost(_) => {}
    }
}

/// Copies a file, and says what it holds; none where there is none. Blocks.
fn copy_file(
    from: &Path,
    draft: NamedTempFile,
) -> io::Result<Option<(NamedTempFile, Digest, u64)>> {
    let mut input = match std::fs::File::open(from) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut output = draft.reopen()?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = input.read(&mut piece)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        output.write_all(read)?;
    }
    Ok(Some((draft, Digest(*hasher.finalize().as_bytes()), hasher.count())))
}

impl Lost {
    pub(super) fn line(&self) -> String {
        let Self { asset_id, recorded, found } = self;
        match found {
            None => format!("missing  asset {asset_id}: there is no file, {recorded} was recorded"),
            Some(found) => {
                format!("changed  asset {asset_id}: its file is {found}, {recorded} was recorded")
            }
        }
    }
}

impl Entry {
    fn line(&self) -> String {
        let kind = match self.kind {
            FileKind::Original => 'o',
            FileKind::Sidecar => 's',
            FileKind::Profile => 'p',
        };
        format!("{kind} {} {} {}\n", self.id, self.digest, self.size_bytes)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = match words.next()? {
            "o" => FileKind::Original,
            "s" => FileKind::Sidecar,
            "p" => FileKind::Profile,
            _ => return None,
        };
        let id = words.next()?.parse().ok()?;
        let digest = words.next()?.parse().ok()?;
        Some(Self { kind, id, digest, size_bytes: words.next()?.parse().ok()? })
    }
}

/// Shows every entry of a list.
///
/// # Errors
/// The list is missing or was changed.
pub(crate) async fn entries(
    objects: &Objects,
    list: &Part,
    mut take: impl FnMut(Entry),
) -> anyhow::Result<()> {
    let mut reader = read(objects, list, PART).await?;
    while let Some(frame) = reader.frames.recv().await {
        let Frame::Rows(bytes) = frame else { continue };
        for line in text(&bytes)?.lines() {
            match Entry::parse(line) {
                Some(entry) => take(entry),
                None => bail!("{} has a line that is no file", list.name),
            }
        }
    }
    reader.finish().await
}

fn text(bytes: &Bytes) -> anyhow::Result<&str> {
    std::str::from_utf8(bytes).context("a list of files is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_back() {
        for kind in [FileKind::Original, FileKind::Sidecar, FileKind::Profile] {
            let digest = Digest::of(b"a");
            let entry = Entry { kind, id: Uuid::from_u128(5), digest, size_bytes: 7 };
            assert_eq!(Entry::parse(entry.line().trim_end()), Some(entry));
        }
        for line in ["", "o", "x 00000000-0000-0000-0000-000000000005 a 1", "o 5 a 1"] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }

    #[test]
    fn files_lie_by_their_digest() {
        let digest = Digest::of(b"a");
        let name = blob_name(digest);
        assert_eq!(name, format!("blobs/{}/{digest}", &digest.to_string()[..2]));
    }
}
