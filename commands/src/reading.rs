//! Reading whole streams, many at once.

use std::collections::HashMap;

use calotype_eventstore::{Recorded, Revision, StoreError, StreamId};

use crate::dispatch::Commands;

/// Events of one stream read at once.
const PAGE_EVENTS: u32 = 1_000;
/// Streams read at once.
pub(crate) const STREAMS_MAX: usize = 250;
/// Events read at once of these; an asset has about five.
const STREAMS_EVENTS: u32 = 5_000;

impl Commands {
    /// All events of each of at most [`STREAMS_MAX`] streams, in the order of the ids.
    pub(crate) async fn read_each(
        &self,
        stream_ids: &[StreamId],
    ) -> Result<Vec<Vec<Recorded>>, StoreError> {
        let page = self.store.read_streams(stream_ids, STREAMS_EVENTS).await?;
        // Of a full page the last stream may be cut off, and those behind it are missing.
        let cut = page.last().filter(|_| is_full(&page, STREAMS_EVENTS));
        let cut = cut.map(|event| event.stream_id.clone());
        let mut found: HashMap<StreamId, Vec<Recorded>> = HashMap::new();
        for event in page {
            found.entry(event.stream_id.clone()).or_default().push(event);
        }
        let mut all = Vec::with_capacity(stream_ids.len());
        for stream_id in stream_ids {
            let known = found.remove(stream_id).unwrap_or_default();
            let is_whole = cut.as_ref().is_none_or(|cut| stream_id < cut);
            all.push(if is_whole { known } else { self.read_rest(stream_id, known).await? });
        }
        Ok(all)
    }

    /// The events of a stream, of which the first are known.
    async fn read_rest(
        &self,
        stream_id: &StreamId,
        mut known: Vec<Recorded>,
    ) -> Result<Vec<Recorded>, StoreError> {
        loop {
            let from = known.last().map_or(Revision::FIRST, |event| event.revision.next());
            let page = self.store.read_stream(stream_id, from, PAGE_EVENTS).await?;
            let is_last = !is_full(&page, PAGE_EVENTS);
            known.extend(page);
            if is_last {
                return Ok(known);
            }
        }
    }
}

fn is_full(page: &[Recorded], events_max: u32) -> bool {
    u32::try_from(page.len()).unwrap_or(u32::MAX) >= events_max
}
