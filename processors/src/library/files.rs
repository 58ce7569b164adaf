//! Looking at some files of a library: which are new, which lie elsewhere now, which hold something else,
//! which are gone. What a file holds says which asset it is.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use calotype_commands::CommandContext;
use calotype_commands::libraries::{FileMove, IMPORT_FILES_MAX, NewFile};
use calotype_domain::AssetId;
use calotype_domain::asset::{FileContent, FileFound, MediaKind};
use calotype_domain::library::ScanCounts;
use calotype_media::external::{Digest, FoundFile, Seen, digest, look};
use calotype_media::kind::{Family, by_name};
use calotype_projections::libraries::LibraryFile;
use futures::StreamExt as _;
use tracing::debug;
use uuid::Uuid;

use super::NAME;
use super::scope::{Belongs, Scope};
use super::swaps::{WAITING_MAX, Waiting, settle};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Files that are looked at together.
pub(super) const BATCH_FILES: usize = IMPORT_FILES_MAX;
/// Files read at once, whatever the settings say.
const READS_MAX: usize = 8;
/// Known files that are compared with those of one batch.
const ALIKE_MAX: i64 = 10_000;

/// A file, and what it holds.
type Read = (FoundFile, Digest);

/// What became of files that were known.
#[derive(Debug, Default)]
struct Known {
    /// Those that are gone, by what they held.
    gone: HashMap<String, Vec<LibraryFile>>,
    /// What those held that look otherwise now.
    changed: HashSet<String>,
}

/// What a scan knows while it goes on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) counts: ScanCounts,
    /// Assets that were found elsewhere by this scan.
    relocated: HashSet<Uuid>,
    /// Files of which it can be told only at the end which assets they are.
    waiting: Vec<Waiting>,
}

impl Worker {
    /// Looks at files that are there and belong to the library.
    pub(super) async fn look_at_files(
        &self,
        scope: &Scope,
        files: Vec<FoundFile>,
        tally: &mut Tally,
    ) -> Result<(), ProcessorError> {
        tally.counts.files += count(files.len());
        let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        let known = self.queries.library_files_at(scope.library_id.uuid(), &paths).await?;
        let known: HashMap<String, LibraryFile> =
            known.into_iter().map(|file| (file.path.clone(), file)).collect();
        let mut found = Vec::new();
        let mut to_read = Vec::new();
        for file in files {
            match known.get(&file.path) {
                Some(before) if is_same(before, &file) => {
                    if before.is_offline {
                        tally.counts.online += 1;
                        let path = file.path;
                        found.push((AssetId::new(before.asset_id), FileFound::There { path }));
                    }
                }
                _ => to_read.push(file),
            }
        }
        let mut unknown = Vec::new();
        for (file, digest) in self.read_all(to_read, tally).await? {
            match known.get(&file.path) {
                None => unknown.push((file, digest)),
                Some(before) if before.blake3 == digest.blake3 => {
                    tally.counts.changed += 1;
                    let what = FileFound::Holds { path: file.path, content: content(&digest) };
                    found.push((AssetId::new(before.asset_id), what));
                }
                Some(before) => {
                    let before = Some(before.clone());
                    tally.waiting.push(Waiting { file, digest, before });
                }
            }
        }
        if !found.is_empty() {
            self.commands.record_files(&self.of_scan(), found).await?;
        }
        self.place_unknown(scope, unknown, tally).await?;
        if tally.waiting.len() >= WAITING_MAX {
            self.settle_waiting(scope, tally).await?;
        }
        Ok(())
    }

    /// Tells of the files that wait which assets they are: those that hold what another one held are that asset,
    /// where that can be told of all that it concerns; the others are new versions, or new assets.
    pub(super) async fn settle_waiting(
        &self,
        scope: &Scope,
        tally: &mut Tally,
    ) -> Result<(), ProcessorError> {
        let waiting = std::mem::take(&mut tally.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let contents: Vec<String> = waiting.iter().map(|one| one.digest.blake3.clone()).collect();
        let alike =
            self.queries.library_files_like(scope.library_id.uuid(), &contents, ALIKE_MAX).await?;
        let changed: HashSet<Uuid> =
            waiting.iter().filter_map(|one| Some(one.before.as_ref()?.asset_id)).collect();
        let (mut free, others): (Vec<LibraryFile>, Vec<LibraryFile>) =
            alike.into_iter().partition(|file| changed.contains(&file.asset_id));
        free.extend(self.gone(scope, others, tally).await?.gone.into_values().flatten());
        let mut went = HashSet::new();
        for part in settle(&waiting, free).parts {
            let (places, moves): (Vec<usize>, Vec<FileMove>) = part.into_iter().unzip();
            let ctx = self.of_scan();
            if self.commands.relocate_together(&ctx, scope.library_id, &moves).await? {
                went.extend(places);
                tally.counts.relocated += count(moves.len());
                tally.relocated.extend(moves.iter().map(|file| file.asset_id.uuid()));
            }
        }
        let (mut versions, mut new) = (Vec::new(), Vec::new());
        for (place, Waiting { file, digest, before }) in waiting.into_iter().enumerate() {
            match before {
                _ if went.contains(&place) => {}
                None => new.push((file, digest)),
                Some(before) => {
                    let what = FileFound::Holds { path: file.path, content: content(&digest) };
                    versions.push((AssetId::new(before.asset_id), what));
                }
            }
        }
        if !versions.is_empty() {
            tally.counts.changed += count(versions.len());
            self.commands.record_files(&self.of_scan(), versions).await?;
        }
        self.import(scope, new, tally).await
    }

    /// Reads files through, several at once.
    async fn read_all(
        &self,
        files: Vec<FoundFile>,
        tally: &mut Tally,
    ) -> Result<Vec<Read>, ProcessorError> {
        let settings = self.queries.settings().await?;
        let wish = usize::try_from(settings.number("job.library.concurrency")).unwrap_or(1);
        let reads = futures::stream::iter(files)
            .map(|file| async move {
                let path = file.path.clone();
                let read = tokio::task::spawn_blocking(move || digest(Path::new(&path))).await;
                (file, read)
            })
            .buffered(wish.clamp(1, READS_MAX));
        let read: Vec<_> = reads.collect().await;
        let mut all = Vec::with_capacity(read.len());
        for (file, digest) in read {
            match digest.map_err(|error| ProcessorError::Command(Box::new(error)))? {
                Ok(digest) => all.push((file, digest)),
                Err(error) => {
                    debug!(%error, "a file of a library cannot be read now");
                    tally.counts.unread += 1;
                }
            }
        }
        Ok(all)
    }

    /// Files whose paths nobody knows: where the file that an asset was is gone, this is where it went; all
    /// others are new.
    async fn place_unknown(
        &self,
        scope: &Scope,
        unknown: Vec<Read>,
        tally: &mut Tally,
    ) -> Result<(), ProcessorError> {
        if unknown.is_empty() {
            return Ok(());
        }
        let contents: Vec<String> =
            unknown.iter().map(|(_, digest)| digest.blake3.clone()).collect();
        let alike =
            self.queries.library_files_like(scope.library_id.uuid(), &contents, ALIKE_MAX).await?;
        let Known { mut gone, changed } = self.gone(scope, alike, tally).await?;
        let (mut moves, mut moved, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (file, digest) in unknown {
            let Some(before) = gone.get_mut(&digest.blake3).and_then(Vec::pop) else {
                if changed.contains(&digest.blake3) {
                    // Perhaps something else lies there now, and this is where it went.
                    tally.waiting.push(Waiting { file, digest, before: None });
                } else {
                    others.push((file, digest));
                }
                continue;
            };
            moves.push(FileMove {
                asset_id: AssetId::new(before.asset_id),
                from: before.path,
                to: file.path.clone(),
                modified_at: digest.seen.modified_at,
            });
            moved.push((file, digest));
        }
        if !moves.is_empty() {
            let went =
                self.commands.relocate_files(&self.of_scan(), scope.library_id, &moves).await?;
            for ((file, read), went) in moves.into_iter().zip(moved).zip(went) {
                if went {
                    tally.relocated.insert(file.asset_id.uuid());
                    tally.counts.relocated += 1;
                } else {
                    others.push(read);
                }
            }
        }
        self.import(scope, others, tally).await
    }

    /// Takes in files that are no assets yet.
    async fn import(
        &self,
        scope: &Scope,
        files: Vec<Read>,
        tally: &mut Tally,
    ) -> Result<(), ProcessorError> {
        let mut new = Vec::new();
        for (file, digest) in files {
            let kind = match by_name(&file.path).map(|kind| kind.family) {
                Some(Family::Video) => MediaKind::Video,
                _ => MediaKind::Image,
            };
            new.push(NewFile {
                asset_id: AssetId::new(self.commands.ids().v4()),
                path: file.path,
                kind,
                content: content(&digest),
            });
        }
        for some in new.chunks(IMPORT_FILES_MAX) {
            let (imported, _) = self
                .commands
                .import_files(&self.of_scan(), scope.owner_id, scope.library_id, some)
                .await?;
            tally.counts.imported += count(imported);
        }
        Ok(())
    }

    /// Of some files, those that are not where they were any more, and what those held that look otherwise now.
    async fn gone(
        &self,
        scope: &Scope,
        files: Vec<LibraryFile>,
        tally: &Tally,
    ) -> Result<Known, ProcessorError> {
        let files: Vec<LibraryFile> =
            files.into_iter().filter(|file| !tally.relocated.contains(&file.asset_id)).collect();
        let scope = scope.clone();
        let look = move || {
            let mut known = Known::default();
            for file in files {
                let seen = match scope.of_path(&file.path) {
                    Belongs::No => Ok(None),
                    Belongs::Yes | Belongs::Unknown => look(Path::new(&file.path)),
                };
                match seen {
                    Ok(None) => {
                        known.gone.entry(file.blake3.clone()).or_default().push(file);
                    }
                    Ok(Some(seen)) if !is_as(&file, seen) => {
                        known.changed.insert(file.blake3);
                    }
                    // A disk that does not answer has not lost anything.
                    Ok(Some(_)) | Err(_) => {}
                }
            }
            known
        };
        tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| ProcessorError::Command(Box::new(error)))
    }

    /// Looks whether known files are still there and belong to the library; those that are not go offline.
    pub(super) async fn look_for_missing(
        &self,
        scope: &Scope,
        files: Vec<LibraryFile>,
        tally: &mut Tally,
    ) -> Result<(), ProcessorError> {
        let scope = scope.clone();
        let look = move || {
            let (mut missing, mut unread) = (Vec::new(), 0);
            for file in files.into_iter().filter(|file| !file.is_offline) {
                let is_missing = match scope.of_path(&file.path) {
                    Belongs::No => true,
                    Belongs::Unknown => false,
                    Belongs::Yes => match look(Path::new(&file.path)) {
                        Ok(seen) => seen.is_none(),
                        // A disk that does not answer has not lost anything.
                        Err(_) => {
                            unread += 1;
                            false
                        }
                    },
                };
                if is_missing {
                    let asset_id = AssetId::new(file.asset_id);
                    missing.push((asset_id, FileFound::Missing { path: file.path }));
                }
            }
            (missing, unread)
        };
        let (mut missing, unread) = tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        // The read model may not have heard yet where this scan found them.
        missing.retain(|(asset_id, _)| !tally.relocated.contains(&asset_id.uuid()));
        tally.counts.unread += unread;
        tally.counts.offline += count(missing.len());
        if !missing.is_empty() {
            self.commands.record_files(&self.of_scan(), missing).await?;
        }
        Ok(())
    }

    fn of_scan(&self) -> CommandContext {
        self.context(NAME, self.commands.ids().v7(), None)
    }
}

fn is_same(before: &LibraryFile, file: &FoundFile) -> bool {
    is_as(before, file.seen)
}

fn is_as(before: &LibraryFile, seen: Seen) -> bool {
    u64::try_from(before.size_bytes) == Ok(seen.size_bytes)
        && before.modified_at == seen.modified_at
}

fn content(digest: &Digest) -> FileContent {
    FileContent {
        size_bytes: digest.seen.size_bytes,
        blake3: digest.blake3.clone(),
        modified_at: digest.seen.modified_at,
    }
}

fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}
