//! What visitors of a link upload goes to who shares, and shows in what is shared.

use calotype_commands::CommandContext;
use calotype_domain::{AlbumId, AssetId, CommandId, SharedLinkId, UserId};
use calotype_projections::shared_links::SharedLinkRow;
use uuid::Uuid;

use super::unshow_if_locked;
use crate::albums::locked::leave_if_locked;
use crate::problem::Problem;
use crate::state::Api;

/// Lets a link show what a visitor has just uploaded through it. Not in one transaction with the upload.
///
/// Bytes that the owner had already are shown too, unless they lie in the trash or behind the PIN.
///
/// # Errors
/// What the command says.
pub(crate) async fn take_upload(
    api: &Api,
    context: &CommandContext,
    link: &SharedLinkRow,
    asset_id: Uuid,
) -> Result<(), Problem> {
    let asset = api.queries.asset(asset_id).await?;
    let may_show =
        asset.is_some_and(|asset| asset.trashed_at.is_none() && asset.visibility != "locked");
    if !may_show {
        return Ok(());
    }
    let context =
        CommandContext { command_id: CommandId::new(api.commands.ids().v7()), ..context.clone() };
    let assets = [AssetId::new(asset_id)];
    let owner_id = UserId::new(link.owner_id);
    if let Some(album_id) = link.album_id {
        let albums = [AlbumId::new(album_id)];
        let (_, outcome) =
            api.commands.add_to_albums(&context, Some(owner_id), &albums, &assets).await?;
        api.surely_seen(&outcome).await?;
        leave_if_locked(api, &context, &albums, &assets).await?;
        return Ok(());
    }
    let link_id = SharedLinkId::new(link.shared_link_id);
    let outcome =
        api.commands.change_link_assets(&context, owner_id, link_id, assets.to_vec(), true).await?;
    api.surely_seen(&outcome).await?;
    unshow_if_locked(api, &context, owner_id, link_id, &assets).await?;
    Ok(())
}
