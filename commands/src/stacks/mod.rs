//! Wishes about stacks. What a stack decides and what follows for its assets is written in one
//! transaction, so an asset is in one stack at most.

mod work;

use calotype_domain::asset::{AssetCommand, AssetError};
use calotype_domain::stack::{StackCommand, StackCreated, StackError};
use calotype_domain::{AssetId, StackId, UserId};
use calotype_eventstore::StreamId;

pub(crate) use work::{Work, stream};

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

impl Commands {
    /// Stacks assets; the first stands for them. Stacks whose primary asset is among them come along
    /// whole; other stacks lose the assets they had.
    ///
    /// # Errors
    /// [`StackError::BadAsset`] for an asset that is not theirs, and see [`CommandError`].
    pub async fn create_stack(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_ids: &[AssetId],
    ) -> Result<(StackId, Outcome), CommandError<StackError>> {
        let stack_id = StackId::new(self.ids.v4());
        let streams: Vec<StreamId> = asset_ids.iter().copied().map(crate::assets::stream).collect();
        let _turn = self.turns.take(&streams).await;
        for _ in 0..ATTEMPTS_MAX {
            let mut work = Work::new(self);
            let mut members: Vec<AssetId> = Vec::new();
            let mut merged: Vec<StackId> = Vec::new();
            let mut left: Vec<(StackId, AssetId)> = Vec::new();
            for asset_id in asset_ids {
                let asset = work.asset(*asset_id).await?;
                if asset.owner_id() != Some(by) {
                    return Err(CommandError::Refused(StackError::BadAsset));
                }
                match asset.stack() {
                    Some((other, true)) => merged.push(other),
                    Some((other, false)) => left.push((other, *asset_id)),
                    None => {}
                }
                members.push(*asset_id);
            }
            // What comes along whole is not left first.
            left.retain(|(other, _)| !merged.contains(other));
            for (other, asset_id) in left {
                let leave = StackCommand::Leave { asset_ids: vec![asset_id] };
                work.stack(other, &leave).await?;
            }
            for other in merged {
                members.extend(work.members(other).await?);
                work.stack(other, &StackCommand::Dissolve { by }).await?;
            }
            let mut once = std::collections::BTreeSet::new();
            members.retain(|asset_id| once.insert(*asset_id));
            let create = StackCommand::Create(StackCreated { owner_id: by, asset_ids: members });
            work.stack(stack_id, &create).await?;
            if let Some(outcome) = work.commit(ctx).await? {
                return Ok((stack_id, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// Any other wish about one stack.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn stack(
        &self,
        ctx: &CommandContext,
        stack_id: StackId,
        command: &StackCommand,
    ) -> Result<Outcome, CommandError<StackError>> {
        for _ in 0..ATTEMPTS_MAX {
            let mut work = Work::new(self);
            work.stack(stack_id, command).await?;
            if let Some(outcome) = work.commit(ctx).await? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Dissolves stacks, all in one transaction each.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn dissolve_stacks(
        &self,
        ctx: &CommandContext,
        by: UserId,
        stack_ids: &[StackId],
    ) -> Result<Outcome, CommandError<StackError>> {
        let mut outcome = Outcome::AlreadyTrue;
        for (part, stack_id) in stack_ids.iter().enumerate() {
            let ctx = self.part_of(ctx, part);
            outcome = self.stack(&ctx, *stack_id, &StackCommand::Dissolve { by }).await?;
        }
        Ok(outcome)
    }

    /// Puts assets into the trash, in one transaction; where one stood for a stack, the next that is not
    /// in the trash does so from now on.
    pub(crate) async fn trash_part(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        for _ in 0..ATTEMPTS_MAX {
            let mut work = Work::new(self);
            put_into_trash(&mut work, by, asset_ids).await?;
            if let Some(outcome) = work.commit_assets(ctx).await? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

/// Puts the target into the source's stack. The target leaves the stack it was in; when it stood for that
/// one, all of that stack comes along.
pub(crate) async fn join_stack(
    work: &mut Work<'_>,
    by: UserId,
    source: AssetId,
    target: AssetId,
) -> Result<(), CommandError<StackError>> {
    let Some((stack_id, _)) = work.asset(source).await?.stack() else { return Ok(()) };
    let mut coming = vec![target];
    match work.asset(target).await?.stack() {
        Some((old, _)) if old == stack_id => return Ok(()),
        Some((old, true)) => {
            coming.extend(work.members(old).await?);
            work.stack(old, &StackCommand::Dissolve { by }).await?;
        }
        Some((old, false)) => {
            work.stack(old, &StackCommand::Leave { asset_ids: vec![target] }).await?;
        }
        None => {}
    }
    work.stack(stack_id, &StackCommand::Add { by, asset_ids: coming }).await
}

/// Puts assets into the trash; where one stood for a stack, the next that is not in the trash does so from
/// now on.
pub(crate) async fn put_into_trash(
    work: &mut Work<'_>,
    by: UserId,
    asset_ids: &[AssetId],
) -> Result<(), CommandError<AssetError>> {
    work.load_assets(asset_ids.iter().copied()).await.map_err(as_asset_refusal)?;
    let mut stacks: Vec<StackId> = Vec::new();
    for asset_id in asset_ids {
        let asset = work.asset(*asset_id).await.map_err(as_asset_refusal)?;
        if let Some((stack_id, true)) = asset.stack() {
            stacks.push(stack_id);
        }
        work.push(*asset_id, AssetCommand::Trash { by });
    }
    stacks.sort_unstable();
    stacks.dedup();
    for stack_id in stacks {
        let mut trashed = Vec::new();
        for member in work.members(stack_id).await.map_err(as_asset_refusal)? {
            let asset = work.asset(member).await.map_err(as_asset_refusal)?;
            if asset.is_trashed() || asset_ids.contains(&member) {
                trashed.push(member);
            }
        }
        let pass = StackCommand::PassOver { trashed };
        work.stack(stack_id, &pass).await.map_err(as_asset_refusal)?;
    }
    Ok(())
}

/// A stack that cannot follow its asset is as if the asset were not there.
pub(crate) fn as_asset_refusal(error: CommandError<StackError>) -> CommandError<AssetError> {
    error.map_refusal(|_| AssetError::NotFound)
}
