//! Taking note of erasures, and their receipts.

use calotype_domain::erasure::{
    self, ErasureDone, ErasureError, ErasureEvent, Erasures, RecordErasure,
};
use calotype_domain::event::DomainEvent as _;
use calotype_eventstore::{Revision, StreamId};

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

/// Receipts read at once.
const PAGE_EVENTS: u32 = 1_000;

fn stream() -> StreamId {
    StreamId::new("erasure", erasure::KEY)
}

impl Commands {
    /// Records that something was erased, with its receipt.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_erasure(
        &self,
        ctx: &CommandContext,
        done: ErasureDone,
    ) -> Result<Outcome, CommandError<ErasureError>> {
        self.dispatch::<Erasures>(ctx, stream(), None, &RecordErasure(done)).await
    }

    /// Every erasure, in order.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn erasures(&self) -> Result<Vec<ErasureDone>, CommandError<ErasureError>> {
        let (mut all, mut from) = (Vec::new(), Revision::FIRST);
        loop {
            let page = self.store.read_stream(&stream(), from, PAGE_EVENTS).await?;
            let Some(last) = page.last() else { return Ok(all) };
            from = last.revision.next();
            for recorded in &page {
                let (kind, payload) = (&recorded.event_type, recorded.payload.as_str());
                let ErasureEvent::Done(done) =
                    ErasureEvent::from_raw(kind, recorded.version, payload)?;
                all.push(done);
            }
        }
    }
}
