//! The films of live photos go behind the PIN with their stills, and come out with them.

use calotype_domain::AssetId;
use calotype_domain::asset::{Details, Visibility};
use calotype_projections::assets::AssetRow;

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
