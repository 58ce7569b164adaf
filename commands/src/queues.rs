//! Wishes about work queues.

use calotype_domain::EventId;
use calotype_domain::queue::{Queue, QueueCommand, QueueError, QueueOrder};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

impl Commands {
    /// A queue as it is.
    ///
    /// # Errors
    /// See [`CommandError`]; never a refusal.
    pub async fn queue(&self, name: &str) -> Result<Queue, CommandError<QueueError>> {
        let (queue, _) = self.load::<Queue>(&StreamId::new("queue", name)).await?;
        Ok(queue)
    }

    /// Pauses, resumes or re-runs a queue.
    ///
    /// # Errors
    /// See [`CommandError`]; a queue itself refuses nothing.
    pub async fn control_queue(
        &self,
        ctx: &CommandContext,
        name: &str,
        command: QueueCommand,
    ) -> Result<Outcome, CommandError<QueueError>> {
        // The only event that a wish about a queue leads to.
        let order = QueueOrder { event_id: EventId::new(ctx.event_id(0)), command };
        self.dispatch::<Queue>(ctx, StreamId::new("queue", name), None, &order).await
    }
}
