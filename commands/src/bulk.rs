//! Wishes about many assets: read in batches, decided one by one, written a thousand in a transaction.

use calotype_domain::asset::{Asset, AssetCommand, AssetError};
use calotype_domain::{AlbumId, AssetId, UserId};
use calotype_eventstore::StreamId;

use crate::assets::{once, stream, subject};
use crate::changes::{Move, move_in, streams_of};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

/// Assets changed in one transaction; more are done in several.
pub const BULK_ASSETS_MAX: usize = 1_000;

impl Outcome {
    /// What became of two commands, one after the other: where the last event went.
    pub(crate) fn then(self, next: Self) -> Self {
        match next {
            Self::Committed(_) => next,
            Self::AlreadyTrue => self,
        }
    }
}

impl Commands {
    /// The same commands on each of some assets: all or none of each [`BULK_ASSETS_MAX`].
    pub(crate) async fn bulk(
        &self,
        ctx: &CommandContext,
        asset_ids: &[AssetId],
        commands: &[AssetCommand],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let each: Vec<(AssetId, &[AssetCommand])> =
            once(asset_ids).into_iter().map(|asset_id| (asset_id, commands)).collect();
        self.bulk_each(ctx, &each).await
    }

    /// To each asset its own commands: all or none of each [`BULK_ASSETS_MAX`]. Each asset stands in the list
    /// once.
    pub(crate) async fn bulk_each<C: AsRef<[AssetCommand]> + Sync>(
        &self,
        ctx: &CommandContext,
        each: &[(AssetId, C)],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut outcome = Outcome::AlreadyTrue;
        for (part, chunk) in each.chunks(BULK_ASSETS_MAX).enumerate() {
            let ctx = self.part_of(ctx, part);
            outcome = outcome.then(self.bulk_part(&ctx, chunk, None).await?);
        }
        Ok(outcome)
    }

    /// To each asset its own commands, and what somebody moves into albums and out of them, in one transaction.
    pub(crate) async fn bulk_part<C: AsRef<[AssetCommand]> + Sync>(
        &self,
        ctx: &CommandContext,
        each: &[(AssetId, C)],
        moves: Option<(UserId, &[(AlbumId, Move)])>,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let streams: Vec<StreamId> = each.iter().map(|(asset_id, _)| stream(*asset_id)).collect();
        let albums = moves.map(|(_, moves)| streams_of(moves)).unwrap_or_default();
        // Albums are written to by many; of assets only whoever lost a race waits for others who did.
        let mut turn = self.turns.take(&albums).await;
        for attempt in 0..ATTEMPTS_MAX {
            if attempt == 1 {
                // Given back first: turns on several streams are taken all at once, or never.
                drop(turn);
                turn = self.turns.take(&[albums.as_slice(), streams.as_slice()].concat()).await;
            }
            let mut unit = self.unit(ctx);
            let loaded = self.load_each::<Asset>(&streams).await?;
            for ((asset_id, commands), (asset, last)) in each.iter().zip(loaded) {
                let subject = Some(subject(*asset_id));
                unit.decide(&asset, last, stream(*asset_id), subject, commands.as_ref())?;
            }
            if let Some((by, moves)) = moves {
                move_in(&mut unit, by, moves).await?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                drop(turn);
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// A command of its own for each part of a bulk wish, so that event ids do not collide.
    pub(crate) fn part_of(&self, ctx: &CommandContext, part: usize) -> CommandContext {
        let mut ctx = ctx.clone();
        if part > 0 {
            ctx.command_id = calotype_domain::CommandId::new(self.ids.v7());
        }
        ctx
    }
}
