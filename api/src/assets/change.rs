//! Changes of assets as one command, with what follows: what goes behind the PIN leaves its albums and takes
//! its film along, and whoever loses it has lost it when the answer comes.

use calotype_domain::asset::{Details, Visibility};
use calotype_domain::{AlbumId, AssetId};
use calotype_projections::assets::AssetRow;
use uuid::Uuid;

use super::films;
use crate::albums::locked::leave_all_if_locked;
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
    let leaves = |asset: &&AssetRow| match place {
        None => false,
        Some(Visibility::Locked) => true,
        // What was put into an album while it was locked, where nobody could look again.
        Some(_) => asset.visibility == Visibility::Locked.as_str(),
    };
    let leaving: Vec<Uuid> = assets.iter().filter(leaves).map(|asset| asset.asset_id).collect();
    let inside = match leaving.as_slice() {
        [] => Vec::new(),
        leaving => albums_holding(api, leaving).await?,
    };
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.change_each_asset(&context, by, changes, &inside).await?;
    if place.is_none() {
        api.seen(&outcome).await;
        return Ok(());
    }
    api.surely_seen_of(&outcome, changes.len()).await?;
    if place == Some(Visibility::Locked) {
        // Albums that they were put into after it was looked which ones they are in. What is put in from now on
        // is taken out by whoever puts it in, because the lock shows.
        let asset_ids: Vec<AssetId> = changes.iter().map(|(asset_id, _)| *asset_id).collect();
        leave_all_if_locked(api, &context, &asset_ids).await?;
    }
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
