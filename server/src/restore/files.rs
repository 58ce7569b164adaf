//! Files of a backup, to where the restored log says that they lie. Each is compared with its digest as it is written.

use std::collections::HashMap;
use std::fs::File;

use anyhow::Context as _;
use calotype_media::blob::{BlobKey, BlobStore};
use calotype_media::objects::Objects;
use calotype_projections::integrity::StoredFile;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use super::fresh::Fresh;
use super::plan::Plan;
use crate::backup::{Digest, Entry, FileKind, Progress, blob_name, count, entries};
use crate::operator::say;
use crate::wiring::Core;

/// Assets that are looked at together.
const PAGE: i64 = 1_000;
/// Files that are copied at once.
const COPIES_AT_ONCE: usize = 4;
/// Bytes that are copied at once.
const PIECE_BYTES: usize = 1 << 20;
/// The most losses that are told one by one.
const TOLD_MAX: u64 = 1_000;

/// Files that no event has a digest of, by what they belong to.
type Others = HashMap<(FileKind, Uuid), Digest>;

/// Restores every file that the read models name; false where one is missing or was changed.
pub(super) async fn restore(core: &Core, fresh: &Fresh, plan: &Plan) -> anyhow::Result<bool> {
    let others = others(plan).await?;
    let copier = Copier { blobs: fresh.blobs().await?, objects: plan.objects.clone() };
    let total = u64::try_from(core.queries.stored_count().await?).unwrap_or_default();
    let (mut told, mut progress) = (Told::default(), Progress::new());
    let (mut after, mut assets) = (Uuid::nil(), 0_u64);
    loop {
        let page = core.queries.stored_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.asset_id;
        let mut outcomes = futures::stream::iter(page)
            .map(|file| copier.asset(file, &others))
            .buffer_unordered(COPIES_AT_ONCE);
        while let Some(done) = outcomes.try_next().await? {
            assets += 1;
            done.into_iter().for_each(|one| told.note(one));
            progress.tell(|| format!("files: of {} of {} assets", count(assets), count(total)));
        }
    }
    for user in core.queries.users(true).await? {
        let Some(key) = user.profile_image_key else { continue };
        let digest = others.get(&(FileKind::Profile, user.user_id)).copied();
        let why = copier.file(&BlobKey::parse(&key)?, digest).await?;
        told.note(why.map(|why| format!("the picture of the account {}: {why}", user.user_id)));
    }
    say(&format!("{} files were restored, {} are lost", count(told.files), count(told.lost)));
    Ok(told.lost == 0)
}

async fn others(plan: &Plan) -> anyhow::Result<Others> {
    let list = plan.manifest.files.as_ref().context("the manifest names no list of files")?;
    let mut others = Others::new();
    entries(&plan.objects, list, |Entry { kind, id, digest, .. }| {
        if kind != FileKind::Original {
            others.insert((kind, id), digest);
        }
    })
    .await?;
    Ok(others)
}

#[derive(Default)]
struct Told {
    files: u64,
    lost: u64,
}

impl Told {
    /// Counts a file, or tells why it is lost.
    fn note(&mut self, lost: Option<String>) {
        match lost {
            Some(line) => self.lost(&line),
            None => self.files += 1,
        }
    }

    fn lost(&mut self, line: &str) {
        self.lost += 1;
        if self.lost <= TOLD_MAX {
            say(line);
        }
    }
}

struct Copier {
    blobs: BlobStore,
    objects: Objects,
}

impl Copier {
    /// Copies the files of an asset; says of each why it is lost, if it is.
    async fn asset(
        &self,
        file: StoredFile,
        others: &Others,
    ) -> anyhow::Result<Vec<Option<String>>> {
        let asset_id = file.asset_id;
        let recorded: Digest =
            file.blake3.parse().with_context(|| format!("asset {asset_id} has no digest"))?;
        let why = self.file(&BlobKey::parse(&file.original_key)?, Some(recorded)).await?;
        let mut done = vec![why.map(|why| format!("asset {asset_id}: {why}"))];
        if let Some(key) = &file.sidecar_key {
            let digest = others.get(&(FileKind::Sidecar, asset_id)).copied();
            let why = self.file(&BlobKey::parse(key)?, digest).await?;
            done.push(why.map(|why| format!("the XMP file of asset {asset_id}: {why}")));
        }
        Ok(done)
    }

    /// Copies a file; says why it could not be.
    async fn file(&self, key: &BlobKey, digest: Option<Digest>) -> anyhow::Result<Option<String>> {
        let Some(digest) = digest else {
            return Ok(Some("the backup does not list it; it may have been made later".to_owned()));
        };
        let name = blob_name(digest);
        let Some(opened) = self.objects.open(&name).await? else {
            return Ok(Some(format!("{name} is missing in the backup")));
        };
        let mut input = tokio::fs::File::from_std(opened);
        let mut writer = self.blobs.begin().await?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let length = input.read(&mut piece).await?;
            let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { break };
            writer.write(read).await?;
        }
        let staged = writer.finish().await?;
        if staged.blake3 != digest.0 {
            let found = Digest(staged.blake3);
            return Ok(Some(format!("{name} was changed in the backup, its digest is {found}")));
        }
        staged.replace(key).await?;
        Ok(None)
    }
}

/// Compares every file that a backup lists with its digest, without writing any; tells what is lost and returns how
/// many files there are, and how many of them are lost.
pub(super) async fn look(plan: &Plan) -> anyhow::Result<(u64, u64)> {
    let list = plan.manifest.files.as_ref().context("the manifest names no list of files")?;
    let mut digests = HashMap::new();
    entries(&plan.objects, list, |entry| {
        digests.insert(entry.digest, entry.id);
    })
    .await?;
    let total = u64::try_from(digests.len()).unwrap_or_default();
    let (mut told, mut progress) = (Told::default(), Progress::new());
    let objects = &plan.objects;
    let mut looks = futures::stream::iter(digests)
        .map(|(digest, id)| async move {
            let name = blob_name(digest);
            let found = match objects.open(&name).await? {
                Some(opened) => Some(hash(opened).await?),
                None => None,
            };
            anyhow::Ok((name, id, found == Some(digest), found))
        })
        .buffer_unordered(COPIES_AT_ONCE);
    while let Some((name, id, is_good, found)) = looks.try_next().await? {
        told.files += 1;
        match found {
            _ if is_good => {}
            Some(found) => told.lost(&format!("{name} of {id} was changed in the backup: {found}")),
            None => told.lost(&format!("{name} of {id} is missing in the backup")),
        }
        progress.tell(|| format!("files: {} of {}", count(told.files), count(total)));
    }
    Ok((told.files, told.lost))
}

async fn hash(opened: File) -> anyhow::Result<Digest> {
    let hashed = tokio::task::spawn_blocking(move || Digest::of_reader(opened)).await?;
    Ok(hashed.context("a file of the backup cannot be read")?.0)
}
