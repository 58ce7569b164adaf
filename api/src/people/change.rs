//! Changing a person, one or among several.

use calotype_commands::CommandError;
use calotype_domain::permission::Permission;
use calotype_domain::person::PersonError;
use calotype_domain::{AssetId, PersonId};
use uuid::Uuid;

use super::fields::Wish;
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Changes people, each by itself, and waits until that shows. Of each it says why not, in order.
///
/// # Errors
/// When something else than a rule is in the way.
pub(super) async fn change(
    api: &Api,
    caller: &Caller,
    wishes: Vec<(Uuid, Wish)>,
) -> Result<Vec<Option<PersonError>>, Problem> {
    let by = caller.user_id();
    let mut changes = Vec::with_capacity(wishes.len());
    let mut features = Vec::with_capacity(wishes.len());
    for (person_id, wish) in wishes {
        let person_id = PersonId::new(person_id);
        changes.push((person_id, wish.details));
        features.push((person_id, wish.feature_asset_id));
    }
    let changed = api.commands.change_people(&caller.context(), by, &changes).await?;
    let (mut refusals, mut last) = (changed.refusals, changed.outcome);
    for ((person_id, asset_id), refusal) in features.into_iter().zip(&mut refusals) {
        let (Some(asset_id), None) = (asset_id, &refusal) else { continue };
        let context = caller.next_context(api);
        // The face becomes a picture that opens without a PIN.
        let asset = api.queries.asset(asset_id).await?;
        require_asset(api, caller, Permission::AssetRead, asset.as_ref()).await?;
        let asset_id = AssetId::new(asset_id);
        match api.commands.choose_feature_face(&context, by, person_id, asset_id).await {
            Ok(outcome) if outcome.written().is_some() => last = outcome,
            Ok(_) => {}
            Err(CommandError::Refused(why)) => *refusal = Some(why),
            Err(error) => return Err(error.into()),
        }
    }
    api.seen(&last).await;
    Ok(refusals)
}
