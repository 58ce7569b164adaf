//! Which assets there were, where they showed, and when they were taken: what timelines and albums are made of.

use std::collections::HashMap;

use calotype_domain::asset::Visibility;
use calotype_eventstore::{GlobalPosition, StreamId};
use chrono::{DateTime, NaiveDateTime, Utc};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use super::reading::{PIECE_STREAMS, PIECES_UNDER_WAY, Piece, Reading, row_of};
use super::way::{Way, way};
use crate::error::ProjectionError;
use crate::query::Queries;
use crate::timeline::{Placed, Timeline, TimelineRow};

/// Most assets of one library that are told at once: about 100 MB in memory.
pub const LIBRARY_ASSETS_MAX: i64 = 1_000_000;

/// The events that change what [`Shown`] says. What models found and pictures that were made do not.
pub(super) const TYPES: &[&str] = &[
    "AssetDateChanged",
    "AssetDateReverted",
    "AssetFavorited",
    "AssetMetadataRecorded",
    "AssetPurged",
    "AssetRestored",
    "AssetStacked",
    "AssetTrashed",
    "AssetUnfavorited",
    "AssetUnstacked",
    "AssetUploaded",
    "AssetVisibilityChanged",
];

/// How an asset showed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where.
    pub visibility: Visibility,
    /// Whether it was in the trash.
    pub is_trashed: bool,
    /// The favorite mark.
    pub is_favorite: bool,
    /// Whether it was in a stack that another asset stood for.
    pub is_under: bool,
    /// The photographer's wall clock when it was taken.
    pub local_date_time: NaiveDateTime,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
}

/// An asset that is there now, and how it showed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThenAndNow {
    /// Which.
    pub asset_id: Uuid,
    /// Whose; that never changes.
    pub owner_id: Uuid,
    /// Whether it is a film; that never changes either.
    pub is_video: bool,
    /// Where it shows now.
    pub visibility: Visibility,
    /// Whether it is in the trash now.
    pub is_trashed: bool,
    /// How it showed then; nothing where it was not there yet.
    pub then: Option<Shown>,
}

impl ThenAndNow {
    /// Of a row. The word is one of four, so a row with another is nobody's to see.
    pub(super) fn of(row: &Placed, then: Option<Shown>) -> Option<Self> {
        Some(Self {
            asset_id: row.asset_id,
            owner_id: row.owner_id,
            is_video: row.is_video,
            visibility: visibility(&row.visibility)?,
            is_trashed: row.is_trashed,
            then,
        })
    }
}

impl Shown {
    pub(super) fn of(row: &TimelineRow) -> Option<Self> {
        Some(Self {
            visibility: visibility(&row.visibility)?,
            is_trashed: row.is_trashed,
            is_favorite: row.is_favorite,
            is_under: row.is_under,
            local_date_time: row.local_date_time,
            taken_at: row.taken_at,
        })
    }

    pub(super) fn placed(row: &Placed) -> Option<Self> {
        Some(Self {
            visibility: visibility(&row.visibility)?,
            is_trashed: row.is_trashed,
            is_favorite: row.is_favorite,
            is_under: row.is_under,
            local_date_time: row.local_date_time,
            taken_at: row.taken_at,
        })
    }
}

/// The visibility that a row names; nothing for a word that is not known, and then the asset shows to nobody.
fn visibility(word: &str) -> Option<Visibility> {
    let all = [Visibility::Timeline, Visibility::Archive, Visibility::Hidden, Visibility::Locked];
    all.into_iter().find(|visibility| visibility.as_str() == word)
}

impl Queries {
    /// All assets of a person that are there now, and how they showed at a moment. Nothing where they are more than
    /// [`LIBRARY_ASSETS_MAX`].
    ///
    /// # Errors
    /// What the database said.
    pub async fn library_then(
        &self,
        owner_id: Uuid,
        position: GlobalPosition,
    ) -> Result<Option<Vec<ThenAndNow>>, ProjectionError> {
        let known = self.timeline_stands_at().await?;
        let rows = self.placed_of(owner_id, LIBRARY_ASSETS_MAX + 1).await?;
        if i64::try_from(rows.len()).is_ok_and(|count| count > LIBRARY_ASSETS_MAX) {
            return Ok(None);
        }
        self.then(rows, known, position).await.map(Some)
    }

    /// Those of some assets that are there now, and how they showed at a moment.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_then(
        &self,
        asset_ids: &[Uuid],
        position: GlobalPosition,
    ) -> Result<Vec<ThenAndNow>, ProjectionError> {
        let known = self.timeline_stands_at().await?;
        let rows = self.placed(asset_ids).await?;
        self.then(rows, known, position).await
    }

    /// The shortest way from rows to how they were: `known` is up to where the log was applied before they were read.
    async fn then(
        &self,
        rows: Vec<Placed>,
        known: GlobalPosition,
        position: GlobalPosition,
    ) -> Result<Vec<ThenAndNow>, ProjectionError> {
        let since = known.min(position);
        let head = self.store().head().await?;
        match way(rows.len(), since, position, head) {
            Way::FromNow => self.then_from_now(rows, (since, head), position).await,
            Way::FromBeginning => self.then_from_beginning(rows, position).await,
            Way::ByStream => self.then_by_stream(rows, position).await,
        }
    }

    async fn then_by_stream(
        &self,
        rows: Vec<Placed>,
        position: GlobalPosition,
    ) -> Result<Vec<ThenAndNow>, ProjectionError> {
        let pieces: Vec<Piece<'_, ThenAndNow>> = rows
            .chunks(PIECE_STREAMS)
            .map(|piece| self.piece_then(piece, position).boxed())
            .collect();
        let found: Vec<Vec<ThenAndNow>> =
            futures::stream::iter(pieces).buffered(PIECES_UNDER_WAY).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn piece_then(
        &self,
        rows: &[Placed],
        position: GlobalPosition,
    ) -> Result<Vec<ThenAndNow>, ProjectionError> {
        let streams: Vec<StreamId> =
            rows.iter().map(|row| StreamId::new("asset", row.asset_id)).collect();
        let last = self.store().last_of(&streams, TYPES).await?;
        // What nothing happened to since is as it was.
        let same: HashMap<&str, i64> = last
            .iter()
            .filter(|last| last.position.is_some_and(|placed| placed <= position))
            .map(|last| (last.stream_id.key(), last.revision.get()))
            .collect();
        let mut found = Vec::with_capacity(rows.len());
        let mut changed = Vec::new();
        for (row, stream_id) in rows.iter().zip(&streams) {
            let is_same = same.get(stream_id.key()).is_some_and(|last| row.revision >= *last);
            if !is_same {
                changed.push(row.asset_id);
            }
            found.extend(ThenAndNow::of(row, if is_same { Shown::placed(row) } else { None }));
        }
        if changed.is_empty() {
            return Ok(found);
        }
        let folded = self.shown_then(&changed, position).await?;
        for asset in &mut found {
            if asset.then.is_none() {
                asset.then = folded.get(&asset.asset_id).copied();
            }
        }
        Ok(found)
    }

    /// How some assets showed, by the events of their streams up to a position.
    pub(super) async fn shown_then(
        &self,
        asset_ids: &[Uuid],
        position: GlobalPosition,
    ) -> Result<HashMap<Uuid, Shown>, ProjectionError> {
        let reading =
            Reading { aggregate: "asset", position, types: Some(TYPES), is_opened: false };
        self.folded(asset_ids, reading, |events| Shown::of(&row_of::<Timeline>(events)?)).await
    }
}

#[cfg(test)]
mod tests {
    use calotype_domain::asset::AssetEvent;
    use calotype_domain::catalogue;

    use super::*;

    #[test]
    fn every_type_is_one_of_an_asset() {
        let known: Vec<&str> = catalogue::schemas()
            .into_iter()
            .filter(|(aggregate, ..)| {
                *aggregate == <AssetEvent as calotype_domain::DomainEvent>::AGGREGATE
            })
            .map(|(_, event_type, ..)| event_type)
            .collect();
        for event_type in TYPES {
            assert!(known.contains(event_type), "{event_type} is no event of an asset");
        }
    }

    #[test]
    fn every_visibility_is_read_back() {
        for word in ["timeline", "archive", "hidden", "locked"] {
            assert_eq!(visibility(word).map(Visibility::as_str), Some(word));
        }
        assert_eq!(visibility("somewhere"), None);
    }
}
