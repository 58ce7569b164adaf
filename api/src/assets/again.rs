//! A picture or copy that the log speaks of and that is not there, or not whole: asks for it to be made again,
//! once, while whoever wanted it is told that it is missing.

use std::time::Duration;

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_media::blob::Location;
use moka::sync::Cache;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::Api;

/// What was asked for is not asked for again within this: making it may take its time, or be in vain.
const ASKED_FOR: Duration = Duration::from_secs(600);
/// Steps of assets that are remembered as asked for; further ones push the oldest out.
const ASKED_MAX: u64 = 100_000;

/// Which steps of which assets were asked for of late.
#[derive(Clone)]
pub(crate) struct Asked(Cache<(Uuid, Stage), ()>);

impl Default for Asked {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(ASKED_MAX).time_to_live(ASKED_FOR).build())
    }
}

impl Asked {
    /// Notes it down; says whether nobody did before.
    fn is_first(&self, asset_id: Uuid, stage: Stage) -> bool {
        self.0.entry((asset_id, stage)).or_insert(()).is_fresh()
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.0.invalidate_all();
    }
}

/// Has a step done again whose result is missing, of an original with this key. Whoever asked first waits until that
/// is written down.
pub(crate) async fn make_again(api: &Api, asset_id: Uuid, stage: Stage, original_key: &str) {
    if !api.caches.asked.is_first(asset_id, stage) {
        return;
    }
    if let Err(problem) = request(api, asset_id, stage, original_key).await {
        tracing::warn!(
            asset.id = %asset_id,
            stage = stage.as_str(),
            status = problem.status().as_u16(),
            "a missing picture could not be asked for"
        );
    }
}

async fn request(
    api: &Api,
    asset_id: Uuid,
    stage: Stage,
    original_key: &str,
) -> Result<(), Problem> {
    // Of what is lost itself nothing can be made; what failed or was taken off its queue is for people to ask for.
    let left = api.queries.steps_left(asset_id).await?;
    let is_left = left.failed.iter().chain(&left.missing).any(|left| left == stage.as_str());
    if is_left || !has_original(api, original_key).await? {
        return Ok(());
    }
    let context = api.system_context();
    api.commands.request_processing(&context, &[AssetId::new(asset_id)], stage).await?;
    tracing::warn!(asset.id = %asset_id, stage = stage.as_str(), "what was made of a file is gone, it is made again");
    Ok(())
}

async fn has_original(api: &Api, key: &str) -> Result<bool, Problem> {
    let lies = Location::parse(key).map_err(|error| Problem::internal(&error))?;
    let is_there = match &lies {
        Location::Stored(key) => api.blobs.stat(key).await.map(|found| found.is_some()),
        Location::External(_) => api.blobs.readable(&lies).await.map(|path| path.is_some()),
    };
    is_there.map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_each_asset_is_asked_for_once() {
        let asked = Asked::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(asked.is_first(one, Stage::Thumbnails));
        assert!(!asked.is_first(one, Stage::Thumbnails));
        assert!(asked.is_first(one, Stage::Edits));
        assert!(asked.is_first(other, Stage::Thumbnails));
        asked.forget_all();
        assert!(asked.is_first(one, Stage::Thumbnails));
    }
}
