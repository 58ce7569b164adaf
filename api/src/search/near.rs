//! What a search by meaning is to be near to: a text, or what an asset shows.

use std::sync::Arc;

use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use calotype_projections::embeddings::Near;
use uuid::Uuid;

use super::texts;
use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What somebody wants to find the like of.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// In words.
    pub(super) text: Option<String>,
    /// The language of the words.
    pub(super) language: Option<String>,
    /// An asset, where there are no words.
    pub(super) asset_id: Option<Uuid>,
}

impl Wanted {
    /// The vector to be near to.
    ///
    /// # Errors
    /// 400 where searching by meaning is off, where nothing is wanted, and for an asset that the caller may not
    /// see or no model has looked at.
    pub(super) async fn near(&self, api: &Api, caller: &Caller) -> Result<Arc<Near>, Problem> {
        let settings = api.queries.settings().await?;
        let is_on = settings.is_on("machineLearning.enabled")
            && settings.is_on("machineLearning.clip.enabled");
        if !is_on {
            return Err(texts::not_enabled());
        }
        match (&self.text, self.asset_id) {
            (Some(text), _) => texts::near(api, text, self.language.as_deref()).await,
            (None, Some(asset_id)) => of_asset(api, caller, asset_id).await,
            (None, None) => {
                Err(Problem::bad_request("Either `query` or `queryAssetId` must be set"))
            }
        }
    }
}

async fn of_asset(api: &Api, caller: &Caller, asset_id: Uuid) -> Result<Arc<Near>, Problem> {
    require_assets(api, caller, Permission::AssetRead, &[AssetId::new(asset_id)]).await?;
    let near = api.queries.embedding_of(asset_id).await?;
    near.map(Arc::new)
        .ok_or_else(|| Problem::bad_request(format!("Asset {asset_id} has no embedding")))
}
