//! What the log says of one asset, read whole.

use calotype_commands::CommandContext;
use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetEvent, AssetUploaded};
use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_eventstore::{Revision, StreamId};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::worker::Worker;

/// Events read at once; an asset has about ten.
const PAGE_EVENTS: u32 = 1_000;
/// Events of one asset at most. Of one that has more nothing is done: whoever knows half a history would take what
/// is shown for left over.
const EVENTS_MAX: usize = 100_000;

/// One event of an asset.
pub(crate) struct Told {
    /// What happened.
    pub(crate) what: AssetEvent,
    /// Its place in the stream.
    pub(crate) revision: Revision,
    /// Its id.
    pub(crate) event_id: Uuid,
    /// The request or job that it belongs to.
    pub(crate) correlation_id: Uuid,
}

/// An asset, folded, with the events it was folded from.
#[derive(Default)]
pub(crate) struct History {
    /// What its events come to.
    pub(crate) asset: Asset,
    /// How it came here; nothing of what was never uploaded.
    pub(crate) uploaded: Option<AssetUploaded>,
    /// Its events, the first one first.
    pub(crate) events: Vec<Told>,
}

impl History {
    /// Takes in what happened next.
    fn push(&mut self, told: Told) {
        self.asset.evolve(&told.what);
        if let AssetEvent::Uploaded(uploaded) = &told.what {
            self.uploaded = Some(uploaded.clone());
        }
        self.events.push(told);
    }

    /// What happened, without where it stands.
    pub(crate) fn whats(&self) -> impl Iterator<Item = &AssetEvent> {
        self.events.iter().map(|told| &told.what)
    }
}

impl Worker {
    /// Reads all events of an asset; none where there is no such asset.
    ///
    /// # Errors
    /// [`ProcessorError::TooLong`] where there are more than [`EVENTS_MAX`]; what the log said.
    pub(crate) async fn asset_events(&self, asset_id: AssetId) -> Result<History, ProcessorError> {
        let stream_id = StreamId::new("asset", asset_id);
        let (mut history, mut from) = (History::default(), Revision::FIRST);
        loop {
            let page = self.store.read_stream(&stream_id, from, PAGE_EVENTS).await?;
            let is_last = page.len() < usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
            for event in page {
                from = event.revision.next();
                let payload = event.payload.as_str();
                let what = AssetEvent::from_raw(&event.event_type, event.version, payload)
                    .map_err(|error| ProcessorError::Command(Box::new(error)))?;
                history.push(Told {
                    what,
                    revision: event.revision,
                    event_id: event.event_id,
                    correlation_id: event.envelope.correlation_id,
                });
            }
            if is_last {
                return Ok(history);
            }
            if history.events.len() >= EVENTS_MAX {
                return Err(ProcessorError::TooLong);
            }
        }
    }

    /// The context of a command that `processor` dispatches because of an event of an asset.
    pub(crate) fn because_of(&self, processor: &str, told: &Told) -> CommandContext {
        self.context(processor, told.correlation_id, Some(told.event_id))
    }
}
