//! What was made of originals and is gone: it is no loss and stands in no report, but is made again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_media::blob::{BlobKey, Location};
use calotype_projections::integrity::MadeFiles;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{NAME, PAGE};
use crate::error::ProcessorError;
use crate::worker::Worker;

impl Worker {
    /// Asks for every picture and copy of a film that is missing, empty or cut off, and cuts pictures of people out
    /// again.
    pub(super) async fn make_lost_pictures_again(
        &self,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let (mut asked, mut after) = (0, Uuid::nil());
        loop {
            let page = self.queries.made_after(after, PAGE).await?;
            let Some(last) = page.last().filter(|_| !cancel.is_cancelled()) else { break };
            after = last.asset_id;
            asked += self.ask_for_lost(&page).await?;
        }
        let again = self.picture_people_again(cancel).await?;
        if asked > 0 || again > 0 {
            info!(assets = asked, people = again, "pictures were gone and are made again");
        }
        Ok(())
    }

    /// Asks for the steps whose results are gone; says of how many assets.
    async fn ask_for_lost(&self, page: &[MadeFiles]) -> Result<usize, ProcessorError> {
        let keys = page.iter().flat_map(MadeFiles::keys);
        let keys: Vec<BlobKey> = keys.filter_map(|(_, key)| BlobKey::parse(key).ok()).collect();
        let lost: HashSet<String> =
            self.blobs.not_whole(keys).await?.into_iter().map(String::from).collect();
        if lost.is_empty() {
            return Ok(0);
        }
        let mut steps: BTreeMap<Stage, Vec<AssetId>> = BTreeMap::new();
        let mut asset_ids = BTreeSet::new();
        for made in page {
            let stages: BTreeSet<Stage> = made
                .keys()
                .filter(|(_, key)| lost.contains(*key))
                .map(|(stage, _)| stage)
                .collect();
            // Of what is lost itself nothing can be made.
            if stages.is_empty() || !self.is_original_there(&made.original_key).await {
                continue;
            }
            asset_ids.insert(made.asset_id);
            for stage in stages {
                steps.entry(stage).or_default().push(AssetId::new(made.asset_id));
            }
        }
        for (stage, asset_ids) in steps {
            if self.request_again(&asset_ids, stage).await.is_err() {
                // One of them was deleted for good meanwhile: it must not hold the others up.
                for asset_id in asset_ids {
                    if let Err(error) = self.request_again(&[asset_id], stage).await {
                        warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "a missing picture could not be asked for");
                    }
                }
            }
        }
        Ok(asset_ids.len())
    }

    async fn request_again(
        &self,
        asset_ids: &[AssetId],
        stage: Stage,
    ) -> Result<(), ProcessorError> {
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        self.commands.request_processing(&ctx, asset_ids, stage).await?;
        Ok(())
    }

    async fn is_original_there(&self, key: &str) -> bool {
        match Location::parse(key) {
            Ok(Location::Stored(key)) => self.blobs.stat(&key).await.is_ok_and(|it| it.is_some()),
            Ok(lies) => self.blobs.readable(&lies).await.is_ok_and(|it| it.is_some()),
            Err(_) => false,
        }
    }

    /// Cuts pictures of people out again that are gone; says how many. A preview that is gone itself is made before
    /// the next check.
    async fn picture_people_again(
        &self,
        cancel: &CancellationToken,
    ) -> Result<usize, ProcessorError> {
        let (mut made, mut after) = (0, Uuid::nil());
        loop {
            let page = self.queries.people_pictured_after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(made) };
            after = last.person_id;
            for due in &page {
                if cancel.is_cancelled() {
                    return Ok(made);
                }
                let Some(Ok(key)) = due.thumbnail_key.as_deref().map(BlobKey::parse) else {
                    continue;
                };
                if self.blobs.not_whole(vec![key.clone()]).await?.is_empty() {
                    continue;
                }
                match self.picture_again(&key, due).await {
                    Ok(()) => made += 1,
                    Err(error) => {
                        warn!(person.id = %due.person_id, error = &error as &dyn std::error::Error, "cannot make a picture of a person again");
                    }
                }
            }
        }
    }
}
