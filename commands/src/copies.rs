//! What people did with one asset is done with another, which takes its place.

use calotype_domain::asset::{AssetCommand, AssetError, Details};
use calotype_domain::shared_link::{SharedLink, SharedLinkCommand};
use calotype_domain::{AlbumId, AssetId, SharedLinkId, UserId};

use crate::changes::{Move, Moves, move_in, streams_of};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::shared_links;
use crate::stacks::{Work, as_asset_refusal, join_stack};

/// Albums and links that an asset comes into at once; more are done in further transactions.
const PLACES_AT_ONCE_MAX: usize = 500;

/// What is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Whether it is a favorite.
    pub favorite: bool,
    /// The stack.
    pub stack: bool,
    /// The albums that the source is in.
    pub album_ids: Vec<AlbumId>,
    /// The person's links that show the source.
    pub link_ids: Vec<SharedLinkId>,
}

impl Commands {
    /// Copies what is wanted from one of a person's assets to another. With up to 500 albums and links it is
    /// one transaction.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn copy_asset(
        &self,
        ctx: &CommandContext,
        by: UserId,
        (source, target): (AssetId, AssetId),
        wish: &Copied,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut moves = Moves::default();
        for album_id in &wish.album_ids {
            moves.come(*album_id, target);
        }
        let moves: Vec<(AlbumId, Move)> = moves.0.into_iter().collect();
        let mut outcome = self.copy_part(ctx, by, (source, target), wish, &moves).await?;
        let (_, further) = moves.split_at(moves.len().min(PLACES_AT_ONCE_MAX));
        for chunk in further.chunks(PLACES_AT_ONCE_MAX) {
            let ctx = self.part_of(ctx, 1);
            let rest = Copied::default();
            let written = self.copy_part(&ctx, by, (source, target), &rest, chunk).await?;
            if let committed @ Outcome::Committed(_) = written {
                outcome = committed;
            }
        }
        Ok(outcome)
    }

    async fn copy_part(
        &self,
        ctx: &CommandContext,
        by: UserId,
        (source, target): (AssetId, AssetId),
        wish: &Copied,
        moves: &[(AlbumId, Move)],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let moves = moves.get(..moves.len().min(PLACES_AT_ONCE_MAX)).unwrap_or_default();
        let _turn = self.turns.take(&streams_of(moves)).await;
        for _ in 0..ATTEMPTS_MAX {
            let mut work = Work::new(self);
            let favorite = work.asset(source).await.map_err(as_asset_refusal)?.is_favorite();
            work.asset(target).await.map_err(as_asset_refusal)?;
            if wish.favorite {
                let details = Details { favorite: Some(favorite), ..Details::default() };
                let details = Box::new(details);
                work.push(target, AssetCommand::ChangeDetails { by, details });
            }
            if wish.stack {
                join_stack(&mut work, by, source, target).await.map_err(as_asset_refusal)?;
            }
            let mut unit = self.unit(ctx);
            work.into_unit(&mut unit).await?;
            move_in(&mut unit, by, moves).await?;
            for link_id in wish.link_ids.iter().take(PLACES_AT_ONCE_MAX) {
                let add = [SharedLinkCommand::AddAssets { by, asset_ids: vec![target] }];
                let link = shared_links::stream(*link_id);
                match unit.try_apply::<SharedLink>(link, None, &add).await {
                    // A link that ended meanwhile shows nothing more.
                    Ok(()) | Err(CommandError::Refused(_)) => {}
                    Err(error) => return Err(error.map_refusal(|_| AssetError::NotFound)),
                }
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}
