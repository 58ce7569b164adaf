//! Whether work of many steps may take its next one.

use calotype_domain::EventId;
use calotype_domain::queue::Queue;
use calotype_eventstore::StreamId;
use tokio_util::sync::CancellationToken;

use crate::error::ProcessorError;
use crate::requests::Asked;
use crate::worker::Worker;

/// Asked before each step. The server's own work ends at a closed gate and when the server stops; what a person
/// asked for ends also when it was taken off its queue.
#[derive(Clone, Copy)]
pub(crate) struct Leave<'a> {
    worker: &'a Worker,
    cancel: Option<&'a CancellationToken>,
    asked: &'a [Asked],
}

impl<'a> Leave<'a> {
    /// For work that the server begins by itself.
    pub(crate) fn of_server(worker: &'a Worker, cancel: Option<&'a CancellationToken>) -> Self {
        Self { worker, cancel, asked: &[] }
    }

    /// For work that was asked for, once or several times, all of it of one queue.
    pub(crate) fn of_requests(worker: &'a Worker, asked: &'a [Asked]) -> Self {
        Self { worker, cancel: None, asked }
    }

    /// Whether the work is to end before its next step, for the log and not the read model decides what is
    /// still asked for.
    ///
    /// # Errors
    /// The queue's stream cannot be read.
    pub(crate) async fn is_over(&self) -> Result<bool, ProcessorError> {
        if self.worker.gate.is_closed() || self.cancel.is_some_and(CancellationToken::is_cancelled)
        {
            return Ok(true);
        }
        let Some(first) = self.asked.first() else { return Ok(false) };
        let stream_id = StreamId::new("queue", &first.queue);
        let (queue, _) = self.worker.commands.load::<Queue>(&stream_id).await?;
        Ok(!self.asked.iter().any(|asked| queue.is_open(EventId::new(asked.request_id))))
    }
}
