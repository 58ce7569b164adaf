//! Who is on what was found.

use std::collections::HashMap;

use calotype_projections::assets::AssetRow;
use calotype_projections::people::PersonRow;
use uuid::Uuid;

use super::filters::Asked;
use crate::problem::Problem;
use crate::state::Api;

/// By asset, where that was asked for: the people of the viewer's own. Nobody learns who others tell apart.
///
/// # Errors
/// What the database said.
pub(super) async fn people_on_found(
    api: &Api,
    asked: &Asked,
    found: &[AssetRow],
) -> Result<HashMap<Uuid, Vec<PersonRow>>, Problem> {
    let mut by_asset: HashMap<Uuid, Vec<PersonRow>> = HashMap::new();
    if !asked.with_people {
        return Ok(by_asset);
    }
    let viewer_id = asked.search.viewer_id;
    let own = found.iter().filter(|row| row.owner_id == viewer_id).map(|row| row.asset_id);
    let own: Vec<Uuid> = own.collect();
    for (asset_id, person) in api.queries.people_of_assets(&own).await? {
        by_asset.entry(asset_id).or_default().push(person);
    }
    Ok(by_asset)
}
