//! Events of queues to rows of `queue_requests_v2`.

use async_trait::async_trait;
use calotype_domain::EventId;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::queue::{ManualJob, QueueEvent, RerunScope};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// What a request for a proposal is called, and one to do what was proposed.
pub(super) const PROPOSE: &str = "propose";
const ACCEPT: &str = "accept";

/// Keeps `queue_requests_v2`.
pub struct QueueRequestsProjection;

#[async_trait]
impl Projection for QueueRequestsProjection {
    fn name(&self) -> &'static str {
        "queue_requests"
    }

    fn version(&self) -> u16 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["queue_requests_v2"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["queue"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        // People ask by hand: a batch holds few of these.
        for event in events {
            let AnyEvent::Queue(what) = &event.what else { continue };
            let queue = event.stream_id.strip_prefix("queue-").unwrap_or_default();
            match what {
                QueueEvent::JobRequested(asked) => {
                    insert_in_tx(tx, event, queue, asked.request_id, job(asked.job)).await?;
                }
                QueueEvent::RerunRequested(asked) => {
                    insert_in_tx(tx, event, queue, asked.request_id, scope(asked.scope)).await?;
                }
                QueueEvent::ProposalRequested(asked) => {
                    insert_in_tx(tx, event, queue, Some(asked.request_id), PROPOSE).await?;
                }
                QueueEvent::ProposalAccepted(accepted) => {
                    insert_in_tx(tx, event, queue, Some(accepted.request_id), ACCEPT).await?;
                }
                QueueEvent::RequestDone(done) => {
                    done_in_tx(tx, done.request_id).await?;
                }
                QueueEvent::ProposalDiscarded(discarded) => {
                    done_in_tx(tx, discarded.proposal_id).await?;
                }
                QueueEvent::Emptied(_) => {
                    sqlx::query(
                        "update queue_requests_v2 set is_done = true
                          where queue = $1 and revision < $2 and not is_done",
                    )
                    .bind(queue)
                    .bind(event.revision)
                    .execute(&mut *tx)
                    .await?;
                }
                QueueEvent::FailuresCleared(_) | QueueEvent::Paused(_) | QueueEvent::Resumed(_) => {
                }
            }
        }
        Ok(())
    }
}

async fn done_in_tx(tx: &mut PgConnection, request_id: EventId) -> Result<(), ProjectionError> {
    sqlx::query("update queue_requests_v2 set is_done = true where request_id = $1")
        .bind(request_id.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

async fn insert_in_tx(
    tx: &mut PgConnection,
    event: &Event,
    queue: &str,
    request_id: Option<EventId>,
    what: &str,
) -> Result<(), ProjectionError> {
    // What was asked for before there were answers was done then.
    let Some(request_id) = request_id else { return Ok(()) };
    // One that is known may have been done since.
    sqlx::query(
        "insert into queue_requests_v2 (request_id, queue, revision, what, asked_at, is_done)
         values ($1, $2, $3, $4, $5, false)
         on conflict (request_id) do nothing",
    )
    .bind(request_id.uuid())
    .bind(queue)
    .bind(event.revision)
    .bind(what)
    .bind(event.recorded_at)
    .execute(tx)
    .await?;
    Ok(())
}

const fn job(job: ManualJob) -> &'static str {
    match job {
        ManualJob::MemoryCleanup => "memory_cleanup",
        ManualJob::MemoryCreate => "memory_create",
        ManualJob::PersonCleanup => "person_cleanup",
        ManualJob::TagCleanup => "tag_cleanup",
        ManualJob::UserCleanup => "user_cleanup",
    }
}

const fn scope(scope: RerunScope) -> &'static str {
    match scope {
        RerunScope::All => "all",
        RerunScope::Missing => "missing",
    }
}
