//! The checks themselves. Each adds what it finds to the report, and takes away what holds no longer.

use std::time::{Duration, Instant};

use calotype_commands::integrity::Finding;
use calotype_domain::integrity::Check;
use calotype_media::blob::{Area, BlobKey};
use calotype_media::external::digest;
use calotype_projections::integrity::StoredFile;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use uuid::Uuid;

use super::PAGE;
use crate::error::ProcessorError;
use crate::live::hex;
use crate::worker::Worker;

/// How long ago a picture or a copy of a film was made at least that nothing speaks of: one that was made lately is
/// about to be recorded, or to be removed because others took its place.
const MADE_RECORDED_AFTER: Duration = Duration::from_secs(15 * 60);
/// How long after the walk files that nothing speaks of are asked about once more: an upload is in its place
/// before it is recorded.
const UPLOADS_RECORDED_AFTER: Duration = Duration::from_secs(2);

/// Whether a file is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Right,
    Wrong,
    /// It cannot be told now.
    Unknown,
}

impl Worker {
    /// Looks for files that the log speaks of and that are not there.
    pub(super) async fn look_for_lost(
        &self,
        cancel: &CancellationToken,
    ) -> Result<u64, ProcessorError> {
        let (mut files, mut after) = (0, Uuid::nil());
        loop {
            let page = self.queries.stored_after(after, PAGE).await?;
            let Some(last) = page.last().filter(|_| !cancel.is_cancelled()) else { break };
            after = last.asset_id;
            let (mut found, mut settled) = (Vec::new(), Vec::new());
            for file in page {
                for key in std::iter::once(file.original_key).chain(file.sidecar_key) {
                    files += 1;
                    match self.is_there(&key).await {
                        Is::Wrong => found.push((Some(file.asset_id), key)),
                        Is::Right => settled.push(key),
                        Is::Unknown => {}
                    }
                }
            }
            self.report(Check::MissingFile, found, &settled).await?;
        }
        self.settle_gone(Check::MissingFile, cancel).await?;
        Ok(files)
    }

    async fn is_there(&self, key: &str) -> Is {
        let Ok(key) = BlobKey::parse(key) else { return Is::Unknown };
        match self.blobs.stat(&key).await {
            Ok(Some(_)) => Is::Right,
            Ok(None) => Is::Wrong,
            Err(error) => {
                debug!(error = &error as &dyn std::error::Error, "cannot look at a file");
                Is::Unknown
            }
        }
    }

    /// Looks for files that nothing speaks of: among the originals, beside them, and among what is made of them.
    pub(super) async fn look_for_untracked(
        &self,
        cancel: &CancellationToken,
    ) -> Result<u64, ProcessorError> {
        let (mut walked, walking) = self.walk_files();
        let (mut files, mut strange) = (0, Vec::new());
        while let Some(keys) = walked.recv().await {
            if cancel.is_cancelled() {
                return Ok(files);
            }
            files += u64::try_from(keys.len()).unwrap_or_default();
            strange.extend(self.queries.untracked(&keys).await?);
        }
        walking.await.map_err(|error| ProcessorError::Command(Box::new(error)))??;
        if !strange.is_empty() {
            tokio::time::sleep(UPLOADS_RECORDED_AFTER).await;
            strange = self.queries.untracked(&strange).await?;
        }
        let mut found = Vec::with_capacity(strange.len());
        for key in strange {
            if !self.was_made_lately(&key).await {
                found.push((None, key));
            }
        }
        self.report(Check::UntrackedFile, found, &[]).await?;
        self.look_again(Check::UntrackedFile, cancel).await?;
        Ok(files)
    }

    /// Whether a file is made of an original and is so new that it may be about to be recorded, or cannot be
    /// looked at now.
    async fn was_made_lately(&self, key: &str) -> bool {
        let Ok(key) = BlobKey::parse(key) else { return false };
        if key.area() != Area::Derived {
            return false;
        }
        let modified = self.blobs.stat(&key).await.ok().flatten().and_then(|found| found.modified);
        let age = modified.and_then(|modified| modified.elapsed().ok());
        age.is_none_or(|age| age < MADE_RECORDED_AFTER)
    }

    /// Compares files with the digests that were recorded, from where the last check ended, as long and as many
    /// as administrators want.
    pub(super) async fn compare_digests(
        &self,
        cancel: &CancellationToken,
    ) -> Result<u64, ProcessorError> {
        const CHECK: Check = Check::ChecksumMismatch;
        let settings = self.queries.settings().await?;
        let millis = u64::try_from(settings.number("integrityChecks.checksumFiles.timeLimit"));
        let until = Instant::now() + Duration::from_millis(millis.unwrap_or_default());
        let share = settings.document()["integrityChecks"]["checksumFiles"]["percentageLimit"]
            .as_f64()
            .unwrap_or(1.0);
        let all = u64::try_from(self.queries.stored_count().await?).unwrap_or_default();
        let most = share_of(all, share);
        let mut after = self.report_store().progress(CHECK).await?;
        let (mut files, mut came_round) = (0, after.is_nil());
        'pages: loop {
            let page = self.queries.stored_after(after, PAGE).await?;
            if page.is_empty() {
                after = Uuid::nil();
                if came_round {
                    break;
                }
                came_round = true;
                continue;
            }
            let (mut found, mut settled) = (Vec::new(), Vec::new());
            for file in page {
                if cancel.is_cancelled() || files >= most || Instant::now() >= until {
                    self.report(CHECK, found, &settled).await?;
                    break 'pages;
                }
                after = file.asset_id;
                files += 1;
                match self.holds_what_was_stored(&file).await? {
                    Is::Wrong => found.push((Some(file.asset_id), file.original_key)),
                    Is::Right => settled.push(file.original_key),
                    Is::Unknown => {}
                }
            }
            self.report(CHECK, found, &settled).await?;
            self.report_store().set_progress(CHECK, after).await?;
        }
        self.report_store().set_progress(CHECK, after).await?;
        self.settle_gone(CHECK, cancel).await?;
        Ok(files)
    }

    /// Whether an original holds what was stored. A missing one is another check's business.
    async fn holds_what_was_stored(&self, file: &StoredFile) -> Result<Is, ProcessorError> {
        let Ok(key) = BlobKey::parse(&file.original_key) else { return Ok(Is::Unknown) };
        let Some(path) = self.blobs.local_path(&key) else {
            return Ok(match self.blobs.digest(&key).await {
                Ok(Some((_, blake3))) if hex(&blake3) == file.blake3 => Is::Right,
                Ok(Some(_)) => Is::Wrong,
                Ok(None) | Err(_) => Is::Unknown,
            });
        };
        let digested = tokio::task::spawn_blocking(move || digest(&path))
            .await
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        Ok(match digested {
            Ok(digest) if digest.blake3 == file.blake3 => Is::Right,
            Ok(_) => Is::Wrong,
            Err(_) => Is::Unknown,
        })
    }

    /// Looks again at what a check found, and takes away what holds no longer.
    pub(super) async fn look_again(
        &self,
        check: Check,
        cancel: &CancellationToken,
    ) -> Result<u64, ProcessorError> {
        let (mut files, mut after) = (0, Uuid::nil());
        loop {
            let page = self.report_store().after(check, after, PAGE).await?;
            let Some(last) = page.last().filter(|_| !cancel.is_cancelled()) else { break };
            after = last.id;
            files += u64::try_from(page.len()).unwrap_or_default();
            let settled = self.settled(check, page).await?;
            self.report_store().settle(check, &settled).await?;
        }
        Ok(files)
    }

    /// Keys of those findings that hold no longer.
    async fn settled(
        &self,
        check: Check,
        page: Vec<Finding>,
    ) -> Result<Vec<String>, ProcessorError> {
        let keys: Vec<String> = page.iter().map(|finding| finding.key.clone()).collect();
        let asset_ids: Vec<Uuid> = page.iter().filter_map(|finding| finding.asset_id).collect();
        let stored = self.queries.stored(&asset_ids).await?;
        let still_untracked = match check {
            Check::UntrackedFile => self.queries.untracked(&keys).await?,
            Check::MissingFile | Check::ChecksumMismatch => Vec::new(),
        };
        let mut settled = Vec::new();
        for Finding { asset_id, key, .. } in page {
            let of_it = |file: &&StoredFile| {
                Some(file.asset_id) == asset_id
                    && (file.original_key == key || file.sidecar_key.as_ref() == Some(&key))
            };
            let is = match (check, stored.iter().find(of_it)) {
                (Check::UntrackedFile, _) if !still_untracked.contains(&key) => Is::Right,
                (Check::UntrackedFile, _) => match self.is_there(&key).await {
                    Is::Right => Is::Wrong,
                    Is::Wrong => Is::Right,
                    Is::Unknown => Is::Unknown,
                },
                (_, None) => Is::Right,
                (Check::MissingFile, Some(_)) => self.is_there(&key).await,
                (Check::ChecksumMismatch, Some(file)) => self.holds_what_was_stored(file).await?,
            };
            if is == Is::Right {
                settled.push(key);
            }
        }
        Ok(settled)
    }

    /// Takes away what was found of assets that are gone, or that lie elsewhere now.
    async fn settle_gone(
        &self,
        check: Check,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        self.look_again(check, cancel).await.map(drop)
    }

    async fn report(
        &self,
        check: Check,
        found: Vec<(Option<Uuid>, String)>,
        settled: &[String],
    ) -> Result<(), ProcessorError> {
        let ids = self.commands.ids();
        let found: Vec<(Uuid, Option<Uuid>, String)> =
            found.into_iter().map(|(asset_id, key)| (ids.v7(), asset_id, key)).collect();
        if !settled.is_empty() {
            self.report_store().settle(check, settled).await?;
        }
        if !found.is_empty() {
            self.report_store().add(check, &found, self.commands.clock().now()).await?;
        }
        Ok(())
    }
}

/// So much of a number, at least one of what there is; `share` is from 0 to 1.
fn share_of(all: u64, share: f64) -> u64 {
    const PARTS: u64 = 1_000_000;
    let parts = format!("{:.0}", share.clamp(0.0, 1.0) * 1e6).parse::<u64>().unwrap_or(PARTS);
    let part = u128::from(all) * u128::from(parts) / u128::from(PARTS);
    u64::try_from(part).unwrap_or(all).clamp(all.min(1), all)
}

#[cfg(test)]
mod tests {
    use super::share_of;

    #[test]
    fn share_is_a_part_of_all() {
        assert_eq!((share_of(200, 0.5), share_of(200, 1.0), share_of(0, 1.0)), (100, 200, 0));
        assert_eq!((share_of(3, 0.0), share_of(3, 7.0)), (1, 3));
    }
}
