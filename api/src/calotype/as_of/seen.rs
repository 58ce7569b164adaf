//! Which assets of a moment the caller is shown: those that they may see now and might have seen then. Both are
//! asked of the one function that decides about access.

use std::collections::HashMap;

use calotype_domain::UserId;
use calotype_domain::access::{Object, Reach, check};
use calotype_domain::permission::Permission;
use calotype_projections::as_of::{Shown, ThenAndNow};
use uuid::Uuid;

use crate::access::{AssetFacts, reaches};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Others' assets that are asked about at once.
const FOREIGN_AT_ONCE: usize = 5_000;

/// An asset that the caller is shown, and how it showed.
pub(super) type Seen = (ThenAndNow, Shown);

/// Leaves those that the caller may see now and might have seen then; `reach` says by which ways they reached then
/// what is of somebody else.
///
/// # Errors
/// What the database said.
pub(super) async fn seen(
    api: &Api,
    caller: &Caller,
    assets: Vec<ThenAndNow>,
    reach: impl Fn(Uuid) -> Reach + Send + 'static,
) -> Result<Vec<Seen>, Problem> {
    let me = caller.user_id().uuid();
    let foreign: Vec<AssetFacts> =
        assets.iter().filter(|asset| asset.owner_id != me).map(facts).collect();
    let mut by_now: HashMap<Uuid, Reach> = HashMap::new();
    for some in foreign.chunks(FOREIGN_AT_ONCE) {
        by_now.extend(reaches(api, caller, some).await?);
    }
    let person = caller.person().clone();
    let keep = move || {
        let may = |object| check(&person, Permission::AssetRead, object).is_ok();
        let shown = assets.into_iter().filter_map(|asset| {
            let then = asset.then?;
            let now = by_now.get(&asset.asset_id).copied().unwrap_or_default();
            let was = Object::Asset {
                owner_id: UserId::new(asset.owner_id),
                visibility: then.visibility,
                is_trashed: then.is_trashed,
                reach: reach(asset.owner_id),
            };
            (may(was) && may(facts(&asset).object(now))).then_some((asset, then))
        });
        shown.collect()
    };
    tokio::task::spawn_blocking(keep).await.map_err(|error| Problem::internal(&error))
}

fn facts(asset: &ThenAndNow) -> AssetFacts {
    AssetFacts {
        asset_id: asset.asset_id,
        owner_id: asset.owner_id,
        visibility: asset.visibility,
        is_trashed: asset.is_trashed,
    }
}
