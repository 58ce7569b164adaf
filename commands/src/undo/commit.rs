//! Writes what taking back a command means: stacks with their assets, tags with their paths.

use std::collections::BTreeSet;

use calotype_domain::AssetId;
use calotype_domain::asset::AssetError;
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};

use calotype_eventstore::StreamId;

use super::settle::comes_back;
use super::{Plans, UndoError};
use crate::assets::subject;
use crate::bulk::BULK_ASSETS_MAX;
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::people::stream as person_stream;
use crate::stacks::Work;
use crate::users::subject as user_subject;

impl Commands {
    /// Writes it. `None` says that somebody else wrote first: plan again.
    pub(crate) async fn commit_undo(
        &self,
        ctx: &CommandContext,
        plans: Plans,
    ) -> Result<Option<Outcome>, CommandError<UndoError>> {
        // People may go or be merged again: nobody is given a face meanwhile who is not there after it.
        let people: Vec<StreamId> = plans.people.keys().copied().map(person_stream).collect();
        let _turn = self.turns.take_everywhere(&people).await?;
        let mut unit = self.unit(ctx);
        if !self.put_tags(&mut unit, &plans).await? {
            return Ok(None);
        }
        if !self.put_others(&mut unit, &plans).await? {
            return Ok(None);
        }
        let stacked = self.put_stacks(&mut unit, &plans).await?;
        let rest: Vec<AssetId> =
            plans.assets.keys().copied().filter(|id| !stacked.contains(id)).collect();
        let (first, further) = rest.split_at(rest.len().min(BULK_ASSETS_MAX));
        put_assets(&mut unit, &plans, first)?;
        let Some(mut outcome) = unit.commit().await.map_err(CommandError::Append)? else {
            return Ok(None);
        };
        for chunk in further.chunks(BULK_ASSETS_MAX) {
            let ctx = self.part_of(ctx, 1);
            let mut unit = self.unit(&ctx);
            put_assets(&mut unit, &plans, chunk)?;
            match unit.commit().await.map_err(CommandError::Append)? {
                Some(committed @ Outcome::Committed(_)) => outcome = committed,
                Some(Outcome::AlreadyTrue) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(outcome))
    }

    /// Tags; one that comes back needs its path. `false` when another has taken it meanwhile.
    async fn put_tags(
        &self,
        unit: &mut Unit<'_>,
        plans: &Plans,
    ) -> Result<bool, CommandError<UndoError>> {
        for (tag_id, planned) in &plans.tags {
            let stream_id = StreamId::new("tag", tag_id);
            let events = &planned.plan.events;
            if comes_back(events) {
                let path = self.tag_path_stream(plans.by, planned.now.value());
                let holder_id = tag_id.uuid();
                let reserve = ReservationCommand::Reserve { holder_id };
                match unit.apply::<Reservation>(path, None, &reserve).await {
                    Ok(_) => {}
                    Err(CommandError::Refused(ReservationError::Taken { .. })) => return Ok(false),
                    Err(error) => return Err(error.map_refusal(|_| UndoError::NotFound)),
                }
            }
            unit.record(planned.last, stream_id, Some(user_subject(plans.by)), events)?;
        }
        Ok(true)
    }

    /// Stacks and all assets that follow them; says which assets those are.
    async fn put_stacks(
        &self,
        unit: &mut Unit<'_>,
        plans: &Plans,
    ) -> Result<BTreeSet<AssetId>, CommandError<UndoError>> {
        let mut work = Work::new(self);
        for (stack_id, planned) in &plans.stacks {
            let events = planned.plan.events.clone();
            work.happened(*stack_id, events).await.map_err(as_undo_refusal)?;
        }
        let followers = work.followers().await.map_err(as_undo_refusal)?;
        for asset_id in &followers {
            if let Some(planned) = plans.assets.get(asset_id) {
                work.happened_to(*asset_id, planned.plan.events.clone());
            }
        }
        work.into_unit(unit).await.map_err(|error: CommandError<AssetError>| {
            error.map_refusal(|_| UndoError::NotFound)
        })?;
        Ok(followers)
    }
}

fn put_assets(
    unit: &mut Unit<'_>,
    plans: &Plans,
    asset_ids: &[AssetId],
) -> Result<(), CommandError<UndoError>> {
    for asset_id in asset_ids {
        if let Some(planned) = plans.assets.get(asset_id) {
            let stream_id = crate::assets::stream(*asset_id);
            unit.record(planned.last, stream_id, Some(subject(*asset_id)), &planned.plan.events)?;
        }
    }
    Ok(())
}

pub(super) fn as_undo_refusal<E: std::error::Error + 'static>(
    error: CommandError<E>,
) -> CommandError<UndoError> {
    error.map_refusal(|_| UndoError::NotFound)
}
