//! Which assets a link points at.

use std::collections::HashMap;

use calotype_domain::SharedLinkId;
use calotype_domain::access::Reach;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::Api;

/// How a link reaches some assets; one question.
///
/// # Errors
/// What the database said.
pub(crate) async fn reached(
    api: &Api,
    link_id: SharedLinkId,
    asset_ids: &[Uuid],
) -> Result<HashMap<Uuid, Reach>, Problem> {
    let found = api.queries.assets_reached_by_link(link_id.uuid(), asset_ids).await?;
    let by_link = Reach { by_link: true, ..Reach::default() };
    Ok(found.into_iter().map(|asset_id| (asset_id, by_link)).collect())
}
