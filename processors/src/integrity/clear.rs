//! Clearing a report: assets whose files are not right go into the trash, files that nothing speaks of go.

use std::collections::BTreeSet;

use calotype_commands::CommandError;
use calotype_commands::integrity::Finding;
use calotype_domain::asset::AssetError;
use calotype_domain::integrity::Check;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{NAME, PAGE};
use crate::error::ProcessorError;
use crate::worker::Worker;

impl Worker {
    /// Clears what a check found, as it holds now.
    pub(super) async fn clear(
        &self,
        check: Check,
        cancel: &CancellationToken,
    ) -> Result<u64, ProcessorError> {
        // What was healed meanwhile stays.
        self.look_again(check, cancel).await?;
        let report = self.report_store();
        let (mut files, mut after) = (0, Uuid::nil());
        loop {
            let page = report.after(check, after, PAGE).await?;
            let Some(last) = page.last().filter(|_| !cancel.is_cancelled()) else { break };
            after = last.id;
            let keys: Vec<String> = page.iter().map(|finding| finding.key.clone()).collect();
            let wanted = match check {
                Check::UntrackedFile => self.commands.spoken_for(&report, &keys).await?,
                Check::MissingFile | Check::ChecksumMismatch => BTreeSet::new(),
            };
            for finding in &page {
                files += 1;
                self.clear_one(check, finding, &wanted).await?;
            }
            report.settle(check, &keys).await?;
        }
        Ok(files)
    }

    /// Files under the `wanted` keys are somebody's, whatever read models say.
    async fn clear_one(
        &self,
        check: Check,
        finding: &Finding,
        wanted: &BTreeSet<String>,
    ) -> Result<(), ProcessorError> {
        if check == Check::UntrackedFile {
            if let Ok(key) = BlobKey::parse(&finding.key)
                && !wanted.contains(key.as_str())
                && !self.blobs.may_be_committed(&key).await
                && !self.report_store().is_being_moved(key.as_str()).await?
            {
                self.blobs.remove(&key).await?;
            }
            return Ok(());
        }
        let asset_ids: Vec<Uuid> = finding.asset_id.into_iter().collect();
        for file in self.queries.stored(&asset_ids).await? {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let (by, asset_id) = (UserId::new(file.owner_id), AssetId::new(file.asset_id));
            match self.commands.trash_assets(&ctx, by, &[asset_id]).await {
                Ok(_) | Err(CommandError::Refused(AssetError::NotFound)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
