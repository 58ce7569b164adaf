//! Does what people asked of queues: jobs by hand, re-runs, and proposals. What is done is recorded in the queue's stream.
//!
//! Which requests are open stands in the read model, so nothing is lost with a message: a request stays open
//! until its last consequence is in the log, also over crashes. One that was cut off is done again; a re-run
//! goes on where it was. Requests take turns, so that nothing waits for a long re-run, and the queue's stream is
//! asked before each turn, so that one that was taken off its queue ends there.

use std::collections::BTreeMap;

use calotype_domain::EventId;
use calotype_domain::event::DomainEvent as _;
use calotype_domain::queue::{Queue, QueueCommand, QueueEvent};
use calotype_eventstore::{GlobalPosition, Revision, StreamId};
use calotype_projections::queue_requests::QueueRequest;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::looks::look_at_each_move;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "requests";
/// Key of the lock of whoever does requests: ASCII `calo` and a number that nobody else uses.
const LOCK: i64 = 0x6361_6c6f_0000_0010;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) queue: String,
    pub(crate) request_id: Uuid,
    pub(crate) correlation_id: Uuid,
    pub(crate) what: QueueEvent,
}

/// What came of one turn of every open request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Requests that were done.
    pub done: usize,
    /// Whether another turn has something to do at once.
    pub has_more: bool,
}

impl Worker {
    /// Looks whenever the read models have moved, and every few seconds, until cancelled.
    pub async fn do_requests(
        self,
        applied: watch::Receiver<GlobalPosition>,
        cancel: CancellationToken,
    ) {
        let complaint = "cannot do now what was asked of queues";
        let worker = &self;
        let look = |position| async move {
            worker.do_requests_once(position).await.map(|turn| turn.has_more)
        };
        look_at_each_move(&self.gate, applied, &cancel, complaint, look).await;
        info!("requests stopped");
    }

    /// Gives every open request a turn that all read models have heard of: a job is done, of a re-run one chunk.
    /// A closed gate ends it before the next.
    ///
    /// # Errors
    /// [`ProcessorError`] of the first that failed; it stays open, and the others had their turn.
    pub async fn do_requests_once(&self, applied: GlobalPosition) -> Result<Turn, ProcessorError> {
        if self.queries.queue_requests().await?.is_empty() {
            return Ok(Turn::default());
        }
        // While this is held no other process does requests; it ends at the latest with it.
        let Some(alone) = self.queries.try_alone_by(LOCK).await? else {
            return Ok(Turn::default());
        };
        let mut groups: BTreeMap<(String, String), Vec<QueueRequest>> = BTreeMap::new();
        for request in self.queries.queue_requests().await? {
            groups.entry((request.queue.clone(), request.what.clone())).or_default().push(request);
        }
        let (mut all, mut failed) = (Turn::default(), None);
        for same in groups.into_values() {
            if self.gate.is_closed() {
                break;
            }
            match self.do_request(&same, applied).await {
                Ok(turn) => {
                    all.done += turn.done;
                    all.has_more |= turn.has_more;
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        // Said, not left to the end of the connection: whoever looks next may be this very process.
        alone.end().await?;
        failed.map_or(Ok(all), Err)
    }

    /// Does once what was asked for several times before it began.
    async fn do_request(
        &self,
        same: &[QueueRequest],
        applied: GlobalPosition,
    ) -> Result<Turn, ProcessorError> {
        let mut open = Vec::new();
        for request in same {
            let stream_id = StreamId::new("queue", &request.queue);
            let (queue, _) = self.commands.load::<Queue>(&stream_id).await?;
            let heard = self.store.position_of(request.request_id).await?;
            let is_heard = heard.is_some_and(|position| position <= applied);
            if is_heard && queue.is_open(EventId::new(request.request_id)) {
                open.extend(self.asked(request).await?);
            }
        }
        let Some(last) = open.last() else { return Ok(Turn::default()) };
        let mut count = open.len();
        match &last.what {
            QueueEvent::JobRequested(requested) => {
                // One that ended early is done again, unless it was taken off its queue.
                let is_done = self.manual_job(requested.job, &open).await?;
                if !is_done {
                    return Ok(Turn::default());
                }
            }
            QueueEvent::RerunRequested(_)
            | QueueEvent::ProposalRequested(_)
            | QueueEvent::ProposalAccepted(_) => {
                // One that was begun goes on where it was; those that came later begin anew when it is done.
                let begun = self.rerun_begun(&open).await?;
                count = begun.map_or(count, |at| at + 1);
                let asked = begun.and_then(|at| open.get(at)).unwrap_or(last);
                let has_more = match &asked.what {
                    QueueEvent::RerunRequested(it) => self.rerun_chunk(asked, it.scope).await?,
                    _ => self.proposal_chunk(asked).await?,
                };
                if has_more {
                    return Ok(Turn { done: 0, has_more: true });
                }
            }
            _ => {}
        }
        for asked in open.iter().take(count) {
            let ctx = self.context(NAME, asked.correlation_id, Some(asked.request_id));
            let command = QueueCommand::Finish(EventId::new(asked.request_id));
            self.commands.control_queue(&ctx, &asked.queue, command).await?;
            self.forget_rerun(asked.request_id).await?;
        }
        Ok(Turn { done: count, has_more: count < open.len() })
    }

    /// The event of a request; none where an operator has skipped it.
    async fn asked(&self, request: &QueueRequest) -> Result<Option<Asked>, ProcessorError> {
        let stream_id = StreamId::new("queue", &request.queue);
        let found = self.store.read_stream(&stream_id, Revision::new(request.revision), 1).await?;
        let event = found.into_iter().find(|event| event.event_id == request.request_id);
        let Some(event) = event else { return Ok(None) };
        let what = QueueEvent::from_raw(&event.event_type, event.version, event.payload.as_str())
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        Ok(Some(Asked {
            queue: request.queue.clone(),
            request_id: request.request_id,
            correlation_id: event.envelope.correlation_id,
            what,
        }))
    }
}
