//! Changing a person, one or among several.

use std::collections::HashSet;

use calotype_commands::CommandError;
use calotype_domain::permission::Permission;
use calotype_domain::person::PersonError;
use calotype_domain::{AssetId, PersonId};
use uuid::Uuid;

use super::fields::Wish;
use crate::access::allowed_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Why somebody was not changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The photo whose face is to stand for them is not the caller's to see: it would become a picture that opens
    /// without a PIN. Nothing else of them was changed either.
    Photo,
    /// The person refused.
    Person(PersonError),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Photo => Self::no_access(Permission::AssetRead),
            Refusal::Person(refusal) => CommandError::Refused(refusal).into(),
        }
    }
}

/// Changes people, each by itself, and waits until that shows. Of each it says why not, in order.
///
/// # Errors
/// When something else than a rule is in the way.
pub(super) async fn change(
    api: &Api,
    caller: &Caller,
    wishes: Vec<(Uuid, Wish)>,
) -> Result<Vec<Option<Refusal>>, Problem> {
    let by = caller.user_id();
    let asked: Vec<Uuid> = wishes.iter().filter_map(|(_, wish)| wish.feature_asset_id).collect();
    let shown = allowed_assets(api, caller, Permission::AssetRead, &asked).await?;
    let shown: HashSet<Uuid> = shown.iter().map(|asset| asset.asset_id).collect();
    let may_show = |wish: &Wish| wish.feature_asset_id.is_none_or(|id| shown.contains(&id));
    let refusals: Vec<Option<Refusal>> =
        wishes.iter().map(|(_, wish)| (!may_show(wish)).then_some(Refusal::Photo)).collect();
    let mut changes = Vec::with_capacity(wishes.len());
    let mut features = Vec::with_capacity(wishes.len());
    for (person_id, wish) in wishes.into_iter().filter(|(_, wish)| may_show(wish)) {
        let person_id = PersonId::new(person_id);
        changes.push((person_id, wish.details));
        features.push((person_id, wish.feature_asset_id));
    }
    let changed = api.commands.change_people(&caller.context(), by, &changes).await?;
    let (mut decided, mut last) = (changed.refusals, changed.outcome);
    for ((person_id, asset_id), refusal) in features.into_iter().zip(&mut decided) {
        let (Some(asset_id), None) = (asset_id, &refusal) else { continue };
        let context = caller.next_context(api);
        let asset_id = AssetId::new(asset_id);
        match api.commands.choose_feature_face(&context, by, person_id, asset_id).await {
            Ok(outcome) if outcome.written().is_some() => last = outcome,
            Ok(_) => {}
            Err(CommandError::Refused(why)) => *refusal = Some(why),
            Err(error) => return Err(error.into()),
        }
    }
    api.seen(&last).await;
    // Those that were asked, in the places that are left.
    let mut decided = decided.into_iter();
    let all = refusals
        .into_iter()
        .map(|refusal| refusal.or_else(|| decided.next().flatten().map(Refusal::Person)));
    Ok(all.collect())
}
