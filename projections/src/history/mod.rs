//! What happened to an object, or in the whole log: events as they were recorded, with a sentence for each, and what
//! fields were and became.
//!
//! Read from the log itself, not from a table: the log is the truth.

mod changes;
mod sentence;
mod telling;

use std::sync::Arc;

use calotype_domain::{AssetId, UserId};
use calotype_eventstore::{EventStore, Revision, StreamId};
pub use calotype_eventstore::{GlobalPosition, Recorded, Selection};

pub use changes::Change;
pub use telling::Told;

use crate::error::ProjectionError;
use changes::Fields;

/// Where a stream begins.
pub(crate) const FIRST: Revision = Revision::FIRST;
/// Events read at once.
pub const PAGE_EVENTS: u32 = 1_000;

/// Reads the history of one object page by page, from its beginning: what its fields were is remembered from page to
/// page, and nothing else.
pub struct Reader {
    store: Arc<dyn EventStore>,
    stream_id: StreamId,
    from: Revision,
    fields: Fields,
}

impl Reader {
    /// Of an object.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, stream_id: StreamId) -> Self {
        Self { store, stream_id, from: Revision::FIRST, fields: Fields::default() }
    }

    /// The next events, at most [`PAGE_EVENTS`]; none at the end.
    ///
    /// # Errors
    /// When the log cannot be read or an event not be decoded.
    pub async fn page(&mut self) -> Result<Vec<Told>, ProjectionError> {
        let page = self.store.read_stream(&self.stream_id, self.from, PAGE_EVENTS).await?;
        if let Some(last) = page.last() {
            self.from = last.revision.next();
        }
        page.into_iter().map(|recorded| telling::tell(recorded, Some(&mut self.fields))).collect()
    }
}

/// Events of the whole log, and up to where it was looked through.
#[derive(Clone, Debug)]
pub struct Found {
    /// The events, in the order of the log. What fields were before is not told: that takes an object's history.
    pub events: Vec<Told>,
    /// The next look begins behind this position.
    pub looked_to: GlobalPosition,
    /// Whether there is nothing behind it yet.
    pub is_end: bool,
}

/// The next events of the whole log that are asked for, at most `max`. There may be none although there are more.
///
/// # Errors
/// When the log cannot be read or an event not be decoded.
pub async fn look(
    store: &dyn EventStore,
    after: GlobalPosition,
    selection: &Selection,
    max: u32,
) -> Result<Found, ProjectionError> {
    let some = store.read_selected(after, selection, max.min(PAGE_EVENTS)).await?;
    let is_end = some.looked_to >= store.head().await?;
    let events = some.events.into_iter().map(|recorded| telling::tell(recorded, None));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    Ok(Found { events, looked_to: some.looked_to, is_end })
}

/// Whose an asset is or was, whatever became of it; `None` when there never was one.
///
/// # Errors
/// When the log cannot be read.
pub async fn owner_of_asset(
    store: &dyn EventStore,
    asset_id: AssetId,
) -> Result<Option<UserId>, ProjectionError> {
    owner_of(store, &StreamId::new("asset", asset_id)).await
}

/// Whose an object is or was, as its first event says; `None` when there never was one, or it has no owner.
///
/// # Errors
/// When the log cannot be read.
pub async fn owner_of(
    store: &dyn EventStore,
    stream_id: &StreamId,
) -> Result<Option<UserId>, ProjectionError> {
    let first = store.read_stream(stream_id, Revision::FIRST, 1).await?;
    let payload = first.first().and_then(|first| first.payload.to_value().ok());
    Ok(payload.and_then(|payload| payload.get("owner_id")?.as_str()?.parse().ok()))
}

/// Every event of a stream in order; empty when there is none.
///
/// # Errors
/// When the log cannot be read or an event not be decoded.
pub async fn of_stream(
    store: &Arc<dyn EventStore>,
    stream_id: StreamId,
) -> Result<Vec<Told>, ProjectionError> {
    let (mut told, mut reader) = (Vec::new(), Reader::new(Arc::clone(store), stream_id));
    loop {
        let page = reader.page().await?;
        if page.is_empty() {
            return Ok(told);
        }
        told.extend(page);
    }
}
