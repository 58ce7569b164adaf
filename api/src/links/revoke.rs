//! Links that end because what they show ends.

use calotype_domain::{SharedLinkId, UserId};
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
    for link in api.queries.links_to_album(album_id).await? {
        let context = caller.next_context(api);
        let link_id = SharedLinkId::new(link.shared_link_id);
        let owner_id = UserId::new(link.owner_id);
        api.commands.revoke_shared_link(&context, owner_id, link_id).await?;
    }
    Ok(())
}
