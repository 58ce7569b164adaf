//! What else stands in the way of taking something back: a path that another tag has by now, assets that
//! are in another stack by now.

use std::collections::BTreeSet;

use calotype_domain::asset::Asset;
use calotype_domain::event::Aggregate as _;
use calotype_domain::reservation::Reservation;
use calotype_domain::stack::Stack;
use calotype_domain::tag::TagEvent;
use calotype_domain::{AssetId, StackId};

use super::commit::as_undo_refusal;
use super::{Plans, UndoError};
use crate::dispatch::Commands;
use crate::error::CommandError;
use crate::stacks::Work;

impl Commands {
    /// A tag whose path another has by now stays deleted.
    pub(super) async fn settle_tags(
        &self,
        plans: &mut Plans,
    ) -> Result<(), CommandError<UndoError>> {
        let by = plans.by;
        for planned in plans.tags.values_mut() {
            if !comes_back(&planned.plan.events) {
                continue;
            }
            let path = self.tag_path_stream(by, planned.now.value());
            let (held, _) = self.load::<Reservation>(&path).await.map_err(as_undo_refusal)?;
            if held.holder_id().is_some() {
                planned.refuse();
            }
        }
        Ok(())
    }

    /// A stack whose assets are elsewhere by now stays as it is.
    pub(super) async fn settle_stacks(
        &self,
        plans: &mut Plans,
    ) -> Result<(), CommandError<UndoError>> {
        let possible = possible_stacks(&mut Work::new(self), plans).await?;
        for (stack_id, planned) in &mut plans.stacks {
            if !possible.contains(stack_id) {
                planned.refuse();
            }
        }
        Ok(())
    }
}

/// Whether a deleted tag is to be there again.
pub(super) fn comes_back(events: &[TagEvent]) -> bool {
    events.iter().any(|event| matches!(event, TagEvent::Restored(_)))
}

/// The stacks that can go back: every asset that comes back to one is there and in no other stack, or in
/// one that goes back, too, and lets it go.
async fn possible_stacks(
    work: &mut Work<'_>,
    plans: &Plans,
) -> Result<BTreeSet<StackId>, CommandError<UndoError>> {
    let mut possible: BTreeSet<StackId> = plans
        .stacks
        .iter()
        .filter(|(_, planned)| !planned.plan.events.is_empty())
        .map(|(stack_id, _)| *stack_id)
        .collect();
    loop {
        let mut refused = Vec::new();
        for stack_id in &possible {
            let Some(after) = taken_back(plans, *stack_id) else { continue };
            for asset_id in after.asset_ids() {
                let asset = work.asset(*asset_id).await.map_err(as_undo_refusal)?;
                if !may_come(plans, &possible, *stack_id, *asset_id, asset) {
                    refused.push(*stack_id);
                    break;
                }
            }
        }
        if refused.is_empty() {
            return Ok(possible);
        }
        for stack_id in refused {
            possible.remove(&stack_id);
        }
    }
}

fn may_come(
    plans: &Plans,
    possible: &BTreeSet<StackId>,
    to: StackId,
    asset_id: AssetId,
    asset: &Asset,
) -> bool {
    asset.owner_id() == Some(plans.by)
        && asset.stack().is_none_or(|(from, _)| {
            from == to
                || (possible.contains(&from)
                    && taken_back(plans, from)
                        .is_some_and(|after| !after.asset_ids().contains(&asset_id)))
        })
}

/// A stack as it is once the command is taken back.
fn taken_back(plans: &Plans, stack_id: StackId) -> Option<Stack> {
    let planned = plans.stacks.get(&stack_id)?;
    let mut after = planned.now.clone();
    for event in &planned.plan.events {
        after.evolve(event);
    }
    Some(after)
}
