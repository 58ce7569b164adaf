//! The films of live photos: linked and unlinked by people; they go behind the PIN with their stills, and come
//! out with them.

use calotype_domain::AssetId;
use calotype_domain::asset::{Details, Visibility};
use calotype_projections::assets::AssetRow;
use uuid::Uuid;

use super::upload_asset::check_film;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Moves the films of stills that are about to move to `place`: behind the PIN, or back out of sight.
/// Not in one transaction with the stills.
///
/// # Errors
/// What the command says.
pub(super) async fn follow(
    api: &Api,
    caller: &Caller,
    stills: &[AssetRow],
    place: Option<Visibility>,
) -> Result<(), Problem> {
    let Some(place) = place else { return Ok(()) };
    let is_locking = place == Visibility::Locked;
    let films: Vec<AssetId> = stills
        .iter()
        .filter(|still| is_locking != (still.visibility == Visibility::Locked.as_str()))
        .filter_map(|still| still.live_photo_video_id.map(AssetId::new))
        .collect();
    if films.is_empty() {
        return Ok(());
    }
    let place = if is_locking { Visibility::Locked } else { Visibility::Hidden };
    let details = Details { visibility: Some(place), ..Details::default() };
    let context = caller.next_context(api);
    api.commands.change_assets(&context, caller.user_id(), &films, &details).await?;
    Ok(())
}

/// Lets a film belong to a still, or none; gives the still as it is then.
///
/// # Errors
/// 400 for what is no film of the caller's; what the command says.
pub(super) async fn link(
    api: &Api,
    caller: &Caller,
    still: AssetRow,
    unlinks: bool,
    film: Option<Uuid>,
) -> Result<AssetRow, Problem> {
    let wish = if unlinks { None } else { film };
    if (!unlinks && film.is_none()) || wish == still.live_photo_video_id {
        return Ok(still);
    }
    if let Some(film) = wish {
        if still.is_video || film == still.asset_id {
            return Err(Problem::bad_request("Only a photo can have a live photo video"));
        }
        check_film(api, caller, film).await?;
    }
    // A film that another still has stays out of sight.
    let left: Vec<Uuid> = still.live_photo_video_id.into_iter().collect();
    let shown = api.queries.films_of_only(&left, &[still.asset_id]).await?;
    let shown = shown.first().copied().map(AssetId::new);
    let (context, by) = (caller.next_context(api), caller.user_id());
    let still_id = AssetId::new(still.asset_id);
    let film = wish.map(AssetId::new);
    api.caches.owners.learn(std::slice::from_ref(&still));
    let outcome = api.commands.link_film(&context, by, still_id, film, shown).await?;
    api.surely_seen(&outcome).await?;
    Ok(api.queries.asset(still.asset_id).await?.unwrap_or(still))
}
