//! What goes behind the PIN while it is put into albums leaves them again.
//!
//! Before it is looked what is locked, the read models surely show what was put in, so they show a lock that came
//! before it too; a lock that comes after finds the albums by itself.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use calotype_commands::{CommandContext, CommandError};
use calotype_domain::{AlbumId, AssetId, CommandId};
use uuid::Uuid;

use crate::assets::change::albums_holding;
use crate::problem::Problem;
use crate::state::Api;

/// Takes what is locked by now out of the albums that it was just put into, and says what that was. `context` is
/// of the command before.
///
/// # Errors
/// What the commands say; 503 when it takes too long to show.
pub(crate) async fn leave_if_locked(
    api: &Api,
    context: &CommandContext,
    album_ids: &[AlbumId],
    asset_ids: &[AssetId],
) -> Result<HashSet<AssetId>, Problem> {
    let locked = locked_of(api, asset_ids).await?;
    leave(api, context, album_ids, &locked).await?;
    Ok(locked.into_iter().collect())
}

/// Takes what is locked by now out of every album that holds it. Nothing else of the assets changes. `context` is
/// of the command before.
///
/// # Errors
/// As [`leave_if_locked`].
pub(crate) async fn leave_all_if_locked(
    api: &Api,
    context: &CommandContext,
    asset_ids: &[AssetId],
) -> Result<(), Problem> {
    let locked = locked_of(api, asset_ids).await?;
    if locked.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = locked.iter().map(|asset_id| asset_id.uuid()).collect();
    let albums: BTreeSet<AlbumId> =
        albums_holding(api, &ids).await?.into_iter().map(|(album_id, _)| album_id).collect();
    let albums: Vec<AlbumId> = albums.into_iter().collect();
    leave(api, context, &albums, &locked).await
}

/// Takes what is locked by now out of albums that were just given back what was in them. The read models surely
/// show it. `context` is of the command before.
///
/// # Errors
/// As [`leave_if_locked`].
pub(crate) async fn leave_what_is_locked(
    api: &Api,
    context: &CommandContext,
    album_ids: &[Uuid],
) -> Result<(), Problem> {
    let mut locked: BTreeMap<Uuid, Vec<AssetId>> = BTreeMap::new();
    for (album_id, asset_id) in api.queries.locked_in_albums(album_ids).await? {
        locked.entry(album_id).or_default().push(AssetId::new(asset_id));
    }
    for (album_id, locked) in locked {
        leave(api, context, &[AlbumId::new(album_id)], &locked).await?;
    }
    Ok(())
}

/// Those of some assets that are behind the PIN by now.
///
/// # Errors
/// What the database said.
pub(crate) async fn locked_of(api: &Api, asset_ids: &[AssetId]) -> Result<Vec<AssetId>, Problem> {
    let ids: Vec<Uuid> = asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
    Ok(api.queries.locked_of(&ids).await?.into_iter().map(AssetId::new).collect())
}

async fn leave(
    api: &Api,
    context: &CommandContext,
    album_ids: &[AlbumId],
    locked: &[AssetId],
) -> Result<(), Problem> {
    if album_ids.is_empty() || locked.is_empty() {
        return Ok(());
    }
    for album_id in album_ids {
        let command_id = CommandId::new(api.commands.ids().v7());
        let context = CommandContext { command_id, ..context.clone() };
        match api.commands.remove_from_albums(&context, None, &[*album_id], locked).await {
            Ok((_, outcome)) => api.surely_seen_of(&outcome, locked.len()).await?,
            // Deleted meanwhile: nothing is in it.
            Err(CommandError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
