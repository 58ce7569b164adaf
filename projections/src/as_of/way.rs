//! The shorter ways to a library as it was: back from its rows where little happened since, and forward from the
//! beginning of the log where little had happened by then.

use std::collections::{HashMap, HashSet};

use calotype_eventstore::{GlobalPosition, Piece, Recorded, StoreError, Touched};
use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use super::library::{Shown, TYPES, ThenAndNow};
use super::reading::PIECES_UNDER_WAY;
use crate::error::ProjectionError;
use crate::event::{Event, because};
use crate::fold::Fold as _;
use crate::projection::checkpoint_name;
use crate::query::Queries;
use crate::runner::checkpoint;
use crate::timeline::{Placed, Timeline, TimelineProjection, TimelineRow};

/// Positions looked at or read at once.
const PIECE_POSITIONS: i64 = 20_000;
/// So many positions are looked at in the time that one stream takes by itself.
const POSITIONS_A_STREAM: i64 = 5;

/// How a library of the past is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the rows, by what happened since.
    FromNow,
    /// From nothing, by all that had happened.
    FromBeginning,
    /// Stream by stream.
    ByStream,
}

/// The way that looks at the least. The rows have what happened up to `since`, at least.
pub(super) fn way(
    assets: usize,
    since: GlobalPosition,
    position: GlobalPosition,
    head: GlobalPosition,
) -> Way {
    let streams = i64::try_from(assets).unwrap_or(i64::MAX).saturating_mul(POSITIONS_A_STREAM);
    let (from_now, from_beginning) = (head.get() - since.get(), position.get());
    if from_now <= from_beginning.min(streams) {
        Way::FromNow
    } else if from_beginning <= streams {
        Way::FromBeginning
    } else {
        Way::ByStream
    }
}

/// What of an asset happened since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Since {
    /// It was not there yet.
    is_new: bool,
    /// More than what can be turned back happened, or its row does not have all of what had.
    is_changed: bool,
    favorite: Flips,
    trashed: Flips,
}

/// A mark that events set and take away in turn: none is written that changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flips {
    /// Before the first of them.
    before: Option<bool>,
    /// After the last.
    after: Option<bool>,
}

impl Flips {
    /// Takes in that it was set or taken away; false where it was so already, which tells nothing of before.
    fn flip(&mut self, to: bool) -> bool {
        let is_flip = self.after != Some(to);
        self.before.get_or_insert(!to);
        self.after = Some(to);
        is_flip
    }

    fn ends_at(self, now: bool) -> bool {
        self.after.is_none_or(|after| after == now)
    }
}

impl Since {
    /// Takes in an event of an asset whose row has events up to a revision.
    fn take(&mut self, event: &Touched, row_revision: i64, position: GlobalPosition) {
        let is_in_row = event.revision.get() <= row_revision;
        if event.position <= position {
            self.is_changed |= !is_in_row;
            return;
        }
        if !is_in_row {
            return;
        }
        let is_flip = match event.event_type.as_str() {
            "AssetUploaded" => {
                self.is_new = true;
                true
            }
            "AssetFavorited" => self.favorite.flip(true),
            "AssetUnfavorited" => self.favorite.flip(false),
            "AssetTrashed" => self.trashed.flip(true),
            "AssetRestored" => self.trashed.flip(false),
            _ => false,
        };
        self.is_changed |= !is_flip;
    }

    /// How a row showed before; nothing where its stream has to be read.
    fn turned_back(&self, row: &Placed) -> Option<Shown> {
        let ends = self.favorite.ends_at(row.is_favorite) && self.trashed.ends_at(row.is_trashed);
        let now = Shown::placed(row).filter(|_| ends && !self.is_changed)?;
        Some(Shown {
            is_favorite: self.favorite.before.unwrap_or(now.is_favorite),
            is_trashed: self.trashed.before.unwrap_or(now.is_trashed),
            ..now
        })
    }
}

impl Queries {
    /// Up to where the timeline has applied the log, at least.
    pub(super) async fn timeline_stands_at(&self) -> Result<GlobalPosition, ProjectionError> {
        let mut db = self.pool.acquire().await?;
        checkpoint(&mut db, &checkpoint_name(&TimelineProjection)).await
    }

    /// Turns rows back by what happened behind `since`, up to the head.
    pub(super) async fn then_from_now(
        &self,
        rows: Vec<Placed>,
        (since, head): (GlobalPosition, GlobalPosition),
        position: GlobalPosition,
    ) -> Result<Vec<ThenAndNow>, ProjectionError> {
        let revisions: HashMap<Uuid, i64> =
            rows.iter().map(|row| (row.asset_id, row.revision)).collect();
        let waiting: HashSet<Uuid> = self.waiting_of_timeline().await?.into_iter().collect();
        let mut happened: HashMap<Uuid, Since> = HashMap::new();
        let pieces: Vec<BoxFuture<'_, Result<Vec<Touched>, StoreError>>> =
            pieces(since, head).map(|piece| self.store().touched(piece)).collect();
        let mut pieces = futures::stream::iter(pieces).buffered(PIECES_UNDER_WAY);
        while let Some(touched) = pieces.try_next().await? {
            for event in touched {
                let Ok(asset_id) = event.stream_id.key().parse::<Uuid>() else { continue };
                let Some(revision) = revisions.get(&asset_id) else { continue };
                happened.entry(asset_id).or_default().take(&event, *revision, position);
            }
        }
        let mut found = Vec::with_capacity(rows.len());
        let mut unknown = Vec::new();
        for row in &rows {
            let since = happened.get(&row.asset_id).copied().unwrap_or_default();
            if since.is_new {
                found.extend(ThenAndNow::of(row, None));
                continue;
            }
            let then = since.turned_back(row).filter(|_| !waiting.contains(&row.asset_id));
            if then.is_none() {
                unknown.push(row.asset_id);
            }
            found.extend(ThenAndNow::of(row, then));
        }
        let folded = self.shown_then(&unknown, position).await?;
        for asset in found.iter_mut().filter(|asset| asset.then.is_none()) {
            asset.then = folded.get(&asset.asset_id).copied();
        }
        Ok(found)
    }

    /// Assets of which an event waits for the timeline, so that their rows are behind.
    async fn waiting_of_timeline(&self) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select distinct substr(stream_id, 7)::uuid from work.parked
              where kind = 'projection' and name = $1 and stream_id like 'asset-%'",
        )
        .bind(checkpoint_name(&TimelineProjection))
        .fetch_all(&self.pool)
        .await?)
    }

    /// Folds the whole log up to a position, as far as it is about these assets.
    pub(super) async fn then_from_beginning(
        &self,
        rows: Vec<Placed>,
        position: GlobalPosition,
    ) -> Result<Vec<ThenAndNow>, ProjectionError> {
        let wanted: HashSet<Uuid> = rows.iter().map(|row| row.asset_id).collect();
        let mut folding = Folding { wanted, rows: HashMap::new(), broken: HashSet::new() };
        let pieces: Vec<BoxFuture<'_, Result<Vec<Recorded>, StoreError>>> =
            pieces(GlobalPosition::START, position)
                .map(|piece| self.store().read_piece(piece))
                .collect();
        let mut pieces = futures::stream::iter(pieces).buffered(PIECES_UNDER_WAY);
        while let Some(recorded) = pieces.try_next().await? {
            let folded = tokio::task::spawn_blocking(move || {
                recorded.iter().for_each(|one| folding.take(one));
                folding
            });
            folding = match folded.await {
                Ok(folded) => folded,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // At the end of the program nobody waits for it any more.
                Err(_) => return Ok(Vec::new()),
            };
        }
        let then = |row: &Placed| folding.rows.get(&row.asset_id).and_then(Shown::of);
        Ok(rows.iter().filter_map(|row| ThenAndNow::of(row, then(row))).collect())
    }
}

/// Rows as they were, while the log is gone through.
struct Folding {
    wanted: HashSet<Uuid>,
    rows: HashMap<Uuid, TimelineRow>,
    /// With an event that cannot be read: what it says may have taken something away.
    broken: HashSet<Uuid>,
}

impl Folding {
    fn take(&mut self, recorded: &Recorded) {
        let key = recorded.stream_id.key().parse::<Uuid>().ok();
        let Some(asset_id) = key.filter(|id| self.wanted.contains(id)) else { return };
        if self.broken.contains(&asset_id) {
            return;
        }
        let row = self.rows.remove(&asset_id);
        match Event::decode(recorded) {
            Ok(event) => {
                if let Some(row) = Timeline::evolve(row, &event) {
                    self.rows.insert(asset_id, row);
                }
            }
            Err(error) => {
                tracing::warn!(error = because(&error), "a stream cannot be told as it was");
                self.broken.insert(asset_id);
            }
        }
    }
}

/// The pieces of the log behind one position, up to another.
fn pieces(after: GlobalPosition, to: GlobalPosition) -> impl Iterator<Item = Piece<'static>> {
    let mut from = after;
    std::iter::from_fn(move || {
        let piece = Piece {
            after: from,
            to: to.min(GlobalPosition::new(from.get().saturating_add(PIECE_POSITIONS))),
            types: TYPES,
        };
        from = piece.to;
        (piece.after < piece.to).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use calotype_eventstore::{Revision, StreamId};

    use super::*;

    const AT: GlobalPosition = GlobalPosition::new(10);

    fn event(position: i64, revision: i64, event_type: &str) -> Touched {
        Touched {
            position: GlobalPosition::new(position),
            stream_id: StreamId::new("asset", "a"),
            revision: Revision::new(revision),
            event_type: event_type.to_owned(),
        }
    }

    fn since(events: &[(i64, i64, &str)]) -> Since {
        let mut since = Since::default();
        for (position, revision, event_type) in events {
            since.take(&event(*position, *revision, event_type), 5, AT);
        }
        since
    }

    #[test]
    fn a_mark_is_turned_back_to_before_its_first_change() {
        let since = since(&[(11, 3, "AssetFavorited"), (12, 4, "AssetUnfavorited")]);
        assert_eq!(since.favorite, Flips { before: Some(false), after: Some(false) });
        assert!(!since.is_changed && since.trashed == Flips::default());
    }

    #[test]
    fn what_cannot_be_turned_back_is_read() {
        assert!(since(&[(11, 3, "AssetDateChanged")]).is_changed);
        assert!(since(&[(11, 3, "AssetTrashed"), (12, 4, "AssetTrashed")]).is_changed);
        // The row does not have what had happened by then.
        assert!(since(&[(9, 6, "AssetFavorited")]).is_changed);
        // What the row has already, and what it does not have yet of later.
        assert_eq!(
            since(&[(9, 4, "AssetFavorited"), (12, 6, "AssetDateChanged")]),
            Since::default()
        );
    }

    #[test]
    fn the_shorter_side_is_taken() {
        let taken = |assets, since, position, head| {
            let at = GlobalPosition::new;
            way(assets, at(since), at(position), at(head))
        };
        assert_eq!(taken(100, 990, 990, 1_000), Way::FromNow);
        assert_eq!(taken(100, 10, 10, 1_000), Way::FromBeginning);
        assert_eq!(taken(10, 500, 500, 1_000), Way::ByStream);
        // Rows that are behind are turned back from where they stand.
        assert_eq!(taken(100, 100, 990, 1_000), Way::ByStream);
    }

    #[test]
    fn pieces_follow_each_other_without_a_gap() {
        let to = GlobalPosition::new(AT.get() + PIECE_POSITIONS * 2 + 7);
        let pieces: Vec<_> = pieces(AT, to).map(|it| (it.after, it.to)).collect();
        assert_eq!(pieces.len(), 3);
        assert_eq!((pieces[0].0, pieces[2].1), (AT, to));
        assert!(pieces.windows(2).all(|two| two[0].1 == two[1].0));
    }
}
