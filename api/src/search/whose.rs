//! Among which assets a search looks: the caller's and their partners', an album's, or a link's.

use calotype_domain::permission::Permission;
use calotype_projections::albums::AlbumPart;
use calotype_projections::search::{Condition, Ids, OrderColumn, Scope, Search};
use uuid::Uuid;

use crate::access::require_albums;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::timeline_owners;
use crate::state::Api;

/// Says among which assets is searched, and refuses albums that the caller may not see.
///
/// Albums that an asset must be in decide alone: what is in them may be anybody's.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn settle(api: &Api, caller: &Caller, search: &mut Search) -> Result<(), Problem> {
    let mut named: Vec<Uuid> = Vec::new();
    for condition in &search.conditions {
        condition.visit(&mut |condition| {
            if let Condition::Albums(ids) = condition {
                named.extend(ids.as_slice());
            }
        });
    }
    let mut inside: Vec<Uuid> = Vec::new();
    search.conditions.retain(|condition| match condition {
        Condition::Albums(Ids::All(ids)) => {
            inside.extend(ids);
            false
        }
        _ => true,
    });
    if let Some(link) = caller.link() {
        search.viewer_id = Uuid::nil();
        only_what_links_show(caller, search)?;
        let Some(album_id) = link.album_id else {
            search.scope = Scope::Link(link.shared_link_id);
            // Albums are not a link's to name that shows assets one by one.
            return if named.is_empty() {
                Ok(())
            } else {
                Err(Problem::no_access(Permission::AlbumRead))
            };
        };
        named.push(album_id);
        inside.push(album_id);
    }
    if named.is_empty() {
        search.scope = Scope::People(timeline_owners(api, caller).await?);
        return Ok(());
    }
    let parts = require_albums(api, caller, Permission::AlbumRead, &named).await?;
    search.scope = if inside.is_empty() {
        Scope::People(timeline_owners(api, caller).await?)
    } else {
        inside.sort_unstable();
        inside.dedup();
        Scope::Albums { owner_id: sole_owner(&parts, &inside), album_ids: inside }
    };
    Ok(())
}

/// Whose everything in one of the albums is, where nobody else has a part in it.
fn sole_owner(parts: &[AlbumPart], inside: &[Uuid]) -> Option<Uuid> {
    parts.iter().filter(|part| inside.contains(&part.album_id)).find_map(|part| {
        match part.people.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    })
}

/// Where a link hides what files say about themselves, nothing is found or put in order by it.
fn only_what_links_show(caller: &Caller, search: &Search) -> Result<(), Problem> {
    let tells_nothing = |condition: &Condition| {
        matches!(
            condition,
            Condition::Visibility(_)
                | Condition::Trashed(_)
                | Condition::Video(_)
                | Condition::Id(_)
                | Condition::Albums(_)
                | Condition::Nothing
        )
    };
    let is_open = caller.shows_metadata()
        || (search.conditions.iter().all(tells_nothing) && search.order == OrderColumn::Taken);
    if is_open { Ok(()) } else { Err(Problem::no_access(Permission::AssetRead)) }
}
