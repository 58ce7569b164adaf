//! Wishes about stills and their films. What happens to both is written in one transaction.

use calotype_domain::asset::{
    Asset, AssetCommand, AssetError, AssetLivePartsFound, Details, Live, Visibility,
};
use calotype_domain::{AssetId, UserId};

use crate::assets::{stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;

type Refused = CommandError<AssetError>;

impl Commands {
    /// Lets a film belong to a still, or none, because a person says so. The film is hidden, or behind the
    /// PIN with its still. `shown` is a film that belongs to no still any more then: it shows where the still
    /// does.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn link_film(
        &self,
        ctx: &CommandContext,
        by: UserId,
        still_id: AssetId,
        film_id: Option<AssetId>,
        shown: Option<AssetId>,
    ) -> Result<Outcome, Refused> {
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let wish = film_id.map_or(Live::Unlink, Live::Link);
            let command = AssetCommand::Live { by: Some(by), wish };
            let still = stream(still_id);
            let still: Asset = unit.apply(still, Some(subject(still_id)), &command).await?;
            if let Some(film_id) = film_id {
                place(&mut unit, by, film_id, beside(still.visibility())).await?;
            }
            if let Some(shown) = shown.filter(|shown| Some(*shown) != film_id) {
                match place(&mut unit, by, shown, still.visibility()).await {
                    // It is gone by now.
                    Ok(()) | Err(CommandError::Refused(AssetError::NotFound)) => {}
                    Err(error) => return Err(error),
                }
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Lets a film belong to a still because their files say so, unless one does already, or people took
    /// them apart.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn pair_film(
        &self,
        ctx: &CommandContext,
        still_id: AssetId,
        film_id: AssetId,
    ) -> Result<Outcome, Refused> {
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let command = AssetCommand::Live { by: None, wish: Live::Pair(film_id) };
            let still = stream(still_id);
            let still: Asset = unit.apply(still, Some(subject(still_id)), &command).await?;
            let Some(owner_id) = still.owner_id().filter(|_| unit.has_events()) else {
                return Ok(Outcome::AlreadyTrue);
            };
            place(&mut unit, owner_id, film_id, beside(still.visibility())).await?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Records what of a live photo a file turned out to hold.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_live_parts(
        &self,
        ctx: &CommandContext,
        still_id: AssetId,
        found: AssetLivePartsFound,
    ) -> Result<Outcome, Refused> {
        self.bulk(ctx, &[still_id], &[AssetCommand::Live { by: None, wish: Live::Found(found) }])
            .await
    }

    /// A film is gone: it belongs to the still no more.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn lose_film(
        &self,
        ctx: &CommandContext,
        still_id: AssetId,
        film_id: AssetId,
    ) -> Result<Outcome, Refused> {
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let (still, last) = self.load::<Asset>(&stream(still_id)).await?;
            if still.film() != Some(film_id) {
                return Ok(Outcome::AlreadyTrue);
            }
            let command = [AssetCommand::Live { by: None, wish: Live::Unlink }];
            unit.decide(&still, last, stream(still_id), Some(subject(still_id)), &command)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

/// Where the film of a still shows.
const fn beside(still: Visibility) -> Visibility {
    match still {
        Visibility::Locked => Visibility::Locked,
        Visibility::Timeline | Visibility::Archive | Visibility::Hidden => Visibility::Hidden,
    }
}

async fn place(
    unit: &mut Unit<'_>,
    by: UserId,
    film_id: AssetId,
    visibility: Visibility,
) -> Result<(), Refused> {
    let details = Box::new(Details { visibility: Some(visibility), ..Details::default() });
    let command = AssetCommand::ChangeDetails { by, details };
    unit.apply::<Asset>(stream(film_id), Some(subject(film_id)), &command).await.map(drop)
}
