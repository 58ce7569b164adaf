//! Turns a person's wish to do a queue's work again into requests on the assets.

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_domain::event::DomainEvent as _;
use calotype_domain::queue::{QueueEvent, RerunScope, stage_of};
use calotype_eventstore::{Revision, StreamId};
use calotype_projections::jobs::StageState;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "rerun";
/// Assets asked for in one command.
const CHUNK_ASSETS: i64 = 200;
/// Events of one queue looked at.
const QUEUE_EVENTS_MAX: u32 = 10_000;

impl Worker {
    /// Requests the queue's step for every asset in the scope of the event.
    pub(crate) async fn rerun(&self, queue: &str, event_id: Uuid) -> Result<(), ProcessorError> {
        let Some(stage) = stage_of(queue) else { return Ok(()) };
        let stream_id = StreamId::new("queue", queue);
        let events = self.store.read_stream(&stream_id, Revision::new(0), QUEUE_EVENTS_MAX).await?;
        let Some(event) = events.into_iter().find(|event| event.event_id == event_id) else {
            return Ok(());
        };
        let correlation_id = event.envelope.correlation_id;
        let what = QueueEvent::from_raw(&event.event_type, event.version, event.payload)
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        let QueueEvent::RerunRequested(requested) = what else { return Ok(()) };
        match requested.scope {
            RerunScope::All => self.request_all(stage, correlation_id, event_id).await,
            RerunScope::Missing => self.request_missing(stage, correlation_id, event_id).await,
        }
    }

    async fn request_all(
        &self,
        stage: Stage,
        correlation_id: Uuid,
        event_id: Uuid,
    ) -> Result<(), ProcessorError> {
        let mut after = Uuid::nil();
        loop {
            let chunk = self.queries.asset_ids_after(after, CHUNK_ASSETS).await?;
            let Some(last) = chunk.last().copied() else { return Ok(()) };
            self.request(stage, &chunk, correlation_id, event_id).await?;
            after = last;
        }
    }

    /// Those that wait already are being taken up anyway.
    async fn request_missing(
        &self,
        stage: Stage,
        correlation_id: Uuid,
        event_id: Uuid,
    ) -> Result<(), ProcessorError> {
        let now = self.commands.clock().now();
        for state in [StageState::Failed, StageState::Missing] {
            let left = self.queries.assets_in_state(stage.as_str(), state, now, i64::MAX).await?;
            for chunk in left.chunks(usize::try_from(CHUNK_ASSETS).unwrap_or(1)) {
                self.request(stage, chunk, correlation_id, event_id).await?;
            }
        }
        Ok(())
    }

    async fn request(
        &self,
        stage: Stage,
        asset_ids: &[Uuid],
        correlation_id: Uuid,
        event_id: Uuid,
    ) -> Result<(), ProcessorError> {
        let asset_ids: Vec<AssetId> = asset_ids.iter().copied().map(AssetId::new).collect();
        let ctx = self.context(NAME, correlation_id, Some(event_id));
        self.commands.request_processing(&ctx, &asset_ids, stage).await?;
        Ok(())
    }
}
