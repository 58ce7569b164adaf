//! Which stacks of a batch go when it is taken back.

use std::collections::BTreeSet;

use calotype_domain::StackId;
use calotype_domain::batch::BatchError;
use calotype_eventstore::{Recorded, StreamId};
use uuid::Uuid;

use super::rollback::RollbackPart;
use crate::dispatch::Commands;
use crate::error::CommandError;
use crate::reading::STREAMS_MAX;
use crate::stacks::stream;

impl Commands {
    /// Leaves out stacks that somebody changed since the batch, unless those go, too.
    pub(super) async fn keep_changed_stacks(
        &self,
        correlated: &BTreeSet<Uuid>,
        force: bool,
        part: &mut RollbackPart,
    ) -> Result<(), CommandError<BatchError>> {
        if force {
            return Ok(());
        }
        let stack_ids: Vec<StackId> = part.stacks.iter().copied().collect();
        let is_own = |event: &Recorded| correlated.contains(&event.envelope.correlation_id);
        for some in stack_ids.chunks(STREAMS_MAX) {
            let streams: Vec<StreamId> = some.iter().copied().map(stream).collect();
            for (stack_id, events) in some.iter().zip(self.read_each(&streams).await?) {
                if !events.iter().all(is_own) {
                    part.stacks.remove(stack_id);
                }
            }
        }
        Ok(())
    }
}
