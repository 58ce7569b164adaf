//! Reads many streams up to a position and folds each, in pieces.

use std::collections::HashMap;

use calotype_eventstore::{GlobalPosition, Recorded, StreamId, Until};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::{Event, because};
use crate::fold::Fold;
use crate::query::Queries;

/// Streams read at once.
pub(super) const PIECE_STREAMS: usize = 1_000;
/// Events read at once of these; where there are more, fewer streams are read at once.
const PIECE_EVENTS_MAX: u32 = 20_000;
/// Events read of one stream; what happened to it after so many is not looked at.
const STREAM_EVENTS_MAX: u32 = 1_000_000;
/// Pieces under way at once: while one is folded, the next is read.
pub(super) const PIECES_UNDER_WAY: usize = 2;

/// What a piece comes to.
pub(super) type Piece<'a, T> = BoxFuture<'a, Result<Vec<T>, ProjectionError>>;

/// Which events are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) aggregate: &'static str,
    pub(super) position: GlobalPosition,
    pub(super) types: Option<&'static [&'static str]>,
    /// Whether personal values are needed.
    pub(super) is_opened: bool,
}

impl Reading {
    /// Everything of an aggregate's streams up to a position.
    pub(super) const fn whole(aggregate: &'static str, position: GlobalPosition) -> Self {
        Self { aggregate, position, types: None, is_opened: true }
    }
}

/// The row of a read model as it was after these events of one stream.
pub(super) fn row_of<F: Fold>(events: &[Event]) -> Option<F::Row> {
    events.iter().fold(None, |row, event| F::evolve(row, event))
}

impl Queries {
    /// Folds streams with these keys, each by itself; a stream that comes to nothing is missing. One with an event
    /// that cannot be read is missing, too: what it says may have taken something away.
    pub(super) async fn folded<T: Send + 'static>(
        &self,
        keys: &[Uuid],
        reading: Reading,
        fold: fn(&[Event]) -> Option<T>,
    ) -> Result<HashMap<Uuid, T>, ProjectionError> {
        let pieces: Vec<Piece<'_, (Uuid, T)>> = keys
            .chunks(PIECE_STREAMS)
            .map(|piece| self.folded_piece(piece, reading, fold).boxed())
            .collect();
        let found: Vec<Vec<(Uuid, T)>> =
            futures::stream::iter(pieces).buffered(PIECES_UNDER_WAY).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn folded_piece<T: Send + 'static>(
        &self,
        keys: &[Uuid],
        reading: Reading,
        fold: fn(&[Event]) -> Option<T>,
    ) -> Result<Vec<(Uuid, T)>, ProjectionError> {
        let recorded = self.read_piece(keys, reading).await?;
        let folding = tokio::task::spawn_blocking(move || each(&recorded, fold));
        match folding.await {
            Ok(folded) => Ok(folded),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // At the end of the program nobody waits for it any more.
            Err(_) => Ok(Vec::new()),
        }
    }

    /// As [`Queries::folded`] of one stream.
    pub(super) async fn folded_one<T: Send + 'static>(
        &self,
        key: Uuid,
        reading: Reading,
        fold: fn(&[Event]) -> Option<T>,
    ) -> Result<Option<T>, ProjectionError> {
        Ok(self.folded(&[key], reading, fold).await?.remove(&key))
    }

    async fn read_piece(
        &self,
        keys: &[Uuid],
        reading: Reading,
    ) -> Result<Vec<Recorded>, ProjectionError> {
        let Reading { aggregate, position, types, is_opened } = reading;
        let until = Until { position, types, is_opened };
        let streams: Vec<StreamId> = keys.iter().map(|key| StreamId::new(aggregate, key)).collect();
        let mut left = vec![streams.as_slice()];
        let mut recorded = Vec::new();
        while let Some(streams) = left.pop() {
            let max = if streams.len() == 1 { STREAM_EVENTS_MAX } else { PIECE_EVENTS_MAX };
            let events = self.store().read_until(streams, &until, max).await?;
            let is_cut = u32::try_from(events.len()).is_ok_and(|count| count >= max);
            if is_cut && streams.len() > 1 {
                let (some, others) = streams.split_at(streams.len() / 2);
                left.extend([some, others]);
            } else {
                recorded.extend(events);
            }
        }
        Ok(recorded)
    }
}

/// Folds events that stand stream after stream.
fn each<T>(recorded: &[Recorded], fold: fn(&[Event]) -> Option<T>) -> Vec<(Uuid, T)> {
    let streams = recorded.chunk_by(|one, next| one.stream_id == next.stream_id);
    let folded = streams.filter_map(|stream| {
        let events: Result<Vec<Event>, _> = stream.iter().map(Event::decode).collect();
        match events {
            Ok(events) => Some((events.first()?.key, fold(&events)?)),
            Err(error) => {
                tracing::warn!(error = because(&error), "a stream cannot be told as it was");
                None
            }
        }
    });
    folded.collect()
}
