//! Groups of duplicates are resolved: some assets are kept, the others go into the trash. Who is kept alone
//! takes over what the others had.

use std::collections::BTreeSet;

use calotype_domain::asset::{Asset, AssetCommand, AssetError, Organize, Visibility};
use calotype_domain::{AlbumId, AssetId, UserId};

use crate::bulk::BULK_ASSETS_MAX;
use crate::changes::{Move, Moves, move_in, streams_of};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::stacks::{Work, as_asset_refusal, put_into_trash};

/// What becomes of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Who stays.
    pub keep: Vec<AssetId>,
    /// Who goes into the trash.
    pub trash: Vec<AssetId>,
}

impl Resolution {
    fn assets(&self) -> impl Iterator<Item = AssetId> {
        self.keep.iter().chain(&self.trash).copied()
    }
}

impl Commands {
    /// Resolves groups of duplicates: each group whole or not at all, and about [`BULK_ASSETS_MAX`] assets
    /// in one transaction. `inside` says which of the assets are in which albums.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn resolve_duplicates(
        &self,
        ctx: &CommandContext,
        by: UserId,
        groups: &[Resolution],
        inside: &[(AlbumId, AssetId)],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut outcome = Outcome::AlreadyTrue;
        let mut rest = groups;
        while !rest.is_empty() {
            let mut assets = 0;
            let taken = rest.iter().take_while(|group| {
                assets += group.assets().count();
                assets <= BULK_ASSETS_MAX
            });
            let count = taken.count().max(1);
            let (part, further) = rest.split_at(count);
            let ctx = self.part_of(ctx, groups.len() - rest.len());
            if let committed @ Outcome::Committed(_) =
                self.resolve_part(&ctx, by, part, inside).await?
            {
                outcome = committed;
            }
            rest = further;
        }
        Ok(outcome)
    }

    async fn resolve_part(
        &self,
        ctx: &CommandContext,
        by: UserId,
        groups: &[Resolution],
        inside: &[(AlbumId, AssetId)],
    ) -> Result<Outcome, CommandError<AssetError>> {
        for _ in 0..ATTEMPTS_MAX {
            let mut work = Work::new(self);
            let mut moves = Moves::default();
            for group in groups {
                merge(&mut work, by, group, inside, &mut moves).await?;
                for asset_id in group.assets() {
                    let wish = Organize::DismissDuplicates;
                    work.asset(asset_id).await.map_err(as_asset_refusal)?;
                    work.push(asset_id, AssetCommand::Organize { by: Some(by), wish });
                }
            }
            let trash: Vec<AssetId> =
                groups.iter().flat_map(|group| group.trash.iter().copied()).collect();
            put_into_trash(&mut work, by, &trash).await?;
            let moves: Vec<(AlbumId, Move)> = moves.0.into_iter().collect();
            let _turn = self.turns.take(&streams_of(&moves)).await;
            let mut unit = self.unit(ctx);
            work.into_unit(&mut unit).await?;
            move_in(&mut unit, by, &moves).await?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

/// Lets the one that is kept take over details, tags and albums of the others. Kept among several, none does.
async fn merge(
    work: &mut Work<'_>,
    by: UserId,
    group: &Resolution,
    inside: &[(AlbumId, AssetId)],
    moves: &mut Moves,
) -> Result<(), CommandError<AssetError>> {
    let [kept_id] = group.keep.as_slice() else { return Ok(()) };
    let mut others: Vec<Asset> = Vec::with_capacity(group.trash.len());
    for asset_id in &group.trash {
        others.push(work.asset(*asset_id).await.map_err(as_asset_refusal)?.clone());
    }
    let kept = work.asset(*kept_id).await.map_err(as_asset_refusal)?;
    let details = kept.taking_over(&others.iter().collect::<Vec<_>>());
    let place = details.visibility.unwrap_or(kept.visibility());
    let tags: BTreeSet<_> = others.iter().flat_map(Asset::tags).copied().collect();
    work.push(*kept_id, AssetCommand::ChangeDetails { by, details: Box::new(details) });
    for tag_id in tags {
        let wish = Organize::Tag(tag_id);
        work.push(*kept_id, AssetCommand::Organize { by: Some(by), wish });
    }
    for (album_id, asset_id) in inside {
        if place == Visibility::Locked {
            // What is behind the PIN is in no album.
            if asset_id == kept_id {
                moves.leave(*album_id, *kept_id);
            }
        } else if group.trash.contains(asset_id) {
            moves.come(*album_id, *kept_id);
        }
    }
    Ok(())
}
