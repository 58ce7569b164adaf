//! What goes behind the PIN while a link begins to show it is shown no more, also when it comes out again.

use std::collections::{BTreeMap, HashSet};

use calotype_commands::{CommandContext, CommandError};
use calotype_domain::{AssetId, CommandId, SharedLinkId, UserId};
use uuid::Uuid;

use crate::albums::locked::locked_of;
use crate::problem::Problem;
use crate::state::Api;

/// Takes what is locked by now off a link that was just given it, and says what that was. The read models surely
/// show what the link was given. `context` is of the command before.
///
/// # Errors
/// What the command says; 503 when it takes too long to show.
pub(crate) async fn unshow_if_locked(
    api: &Api,
    context: &CommandContext,
    by: UserId,
    link_id: SharedLinkId,
    asset_ids: &[AssetId],
) -> Result<HashSet<AssetId>, Problem> {
    if asset_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let locked = locked_of(api, asset_ids).await?;
    unshow(api, context, by, link_id, &locked).await?;
    Ok(locked.into_iter().collect())
}

/// Takes what is locked by now off links that were just given back what they showed. The read models surely show
/// it. `context` is of the command before.
///
/// # Errors
/// As [`unshow_if_locked`].
pub(crate) async fn unshow_what_is_locked(
    api: &Api,
    context: &CommandContext,
    link_ids: &[Uuid],
) -> Result<(), Problem> {
    let mut locked: BTreeMap<(Uuid, Uuid), Vec<AssetId>> = BTreeMap::new();
    for (owner_id, link_id, asset_id) in api.queries.locked_in_links(link_ids).await? {
        locked.entry((owner_id, link_id)).or_default().push(AssetId::new(asset_id));
    }
    for ((owner_id, link_id), locked) in locked {
        let (by, link_id) = (UserId::new(owner_id), SharedLinkId::new(link_id));
        unshow(api, context, by, link_id, &locked).await?;
    }
    Ok(())
}

async fn unshow(
    api: &Api,
    context: &CommandContext,
    by: UserId,
    link_id: SharedLinkId,
    locked: &[AssetId],
) -> Result<(), Problem> {
    if locked.is_empty() {
        return Ok(());
    }
    let command_id = CommandId::new(api.commands.ids().v7());
    let context = CommandContext { command_id, ..context.clone() };
    let gone = locked.to_vec();
    match api.commands.change_link_assets(&context, by, link_id, gone, false).await {
        Ok(outcome) => api.surely_seen_of(&outcome, locked.len()).await,
        // Ended meanwhile: it shows nothing.
        Err(CommandError::Refused(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
