//! Changes of assets as one command, with what follows: what goes behind the PIN leaves its albums and takes
//! its film along, and whoever loses it has lost it when the answer comes.

use calotype_domain::asset::{Details, Visibility};
use calotype_domain::{AlbumId, AssetId};
use calotype_projections::assets::AssetRow;
use uuid::Uuid;

use super::films;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Changes assets, each by itself, but all to the same place where they move.
///
/// # Errors
/// What the commands say; 503 when a move takes too long to show.
pub(super) async fn change(
    api: &Api,
    caller: &Caller,
    assets: &[AssetRow],
    changes: &[(AssetId, Details)],
) -> Result<(), Problem> {
    let place = changes.first().and_then(|(_, details)| details.visibility);
    api.caches.owners.learn(assets);
    films::follow(api, caller, assets, place).await?;
    let inside = if place == Some(Visibility::Locked) {
        let asset_ids: Vec<Uuid> = assets.iter().map(|asset| asset.asset_id).collect();
        albums_holding(api, &asset_ids).await?
    } else {
        Vec::new()
    };
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.change_each_asset(&context, by, changes, &inside).await?;
    if place.is_some() {
        return api.surely_seen(&outcome).await;
    }
    api.seen(&outcome).await;
    Ok(())
}

/// Which of some assets are in which albums.
///
/// # Errors
/// What the database said.
pub(crate) async fn albums_holding(
    api: &Api,
    asset_ids: &[Uuid],
) -> Result<Vec<(AlbumId, AssetId)>, Problem> {
    let pairs = api.queries.albums_holding(asset_ids).await?;
    let ids = |(album_id, asset_id)| (AlbumId::new(album_id), AssetId::new(asset_id));
    Ok(pairs.into_iter().map(ids).collect())
}
