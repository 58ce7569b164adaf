//! Links that end because what they show ends.

use calotype_commands::CommandError;
use calotype_commands::shared_links::LinkError;
use calotype_domain::shared_link::SharedLinkError;
use calotype_domain::{SharedLinkId, UserId};
use calotype_projections::shared_links::SharedLinkRow;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Revokes the links to an album that is about to be deleted, so that their slugs are free again.
/// The links end with the album, whether this was done or not.
///
/// # Errors
/// What the commands say.
pub(crate) async fn revoke_of_album(
    api: &Api,
    caller: &Caller,
    album_id: Uuid,
) -> Result<(), Problem> {
    let links = api.queries.links_to_album(album_id).await?;
    revoke(api, caller, &links).await
}

/// Revokes links that end with their albums; those that have ended meanwhile are left alone.
///
/// # Errors
/// What the commands say.
pub(crate) async fn revoke(
    api: &Api,
    caller: &Caller,
    links: &[SharedLinkRow],
) -> Result<(), Problem> {
    for link in links {
        let context = caller.next_context(api);
        let link_id = SharedLinkId::new(link.shared_link_id);
        let owner_id = UserId::new(link.owner_id);
        match api.commands.revoke_shared_link(&context, owner_id, link_id).await {
            Ok(_) | Err(CommandError::Refused(LinkError::Link(SharedLinkError::NotFound))) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
