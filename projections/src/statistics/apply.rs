//! Events of assets to `statistics_v1`, with what each asset counts for in `statistics_assets_v1`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, MediaKind};
use calotype_domain::catalogue::AnyEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `statistics_v1` and `statistics_assets_v1`.
pub struct StatisticsProjection;

#[async_trait]
impl Projection for StatisticsProjection {
    fn name(&self) -> &'static str {
        "statistics"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["statistics_v1", "statistics_assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut deltas: BTreeMap<Cell, (i64, i64)> = BTreeMap::new();
        for change in fold_in_tx::<Counted>(tx, events).await? {
            if let Some(row) = &change.before {
                let delta = deltas.entry(Cell::of(row)).or_default();
                delta.0 -= 1;
                delta.1 -= row.size_bytes;
            }
            if let Some(row) = &change.after {
                let delta = deltas.entry(Cell::of(row)).or_default();
                delta.0 += 1;
                delta.1 += row.size_bytes;
            }
        }
        deltas.retain(|_, delta| *delta != (0, 0));
        add_in_tx(tx, &deltas).await
    }
}

/// What one asset counts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct CountedRow {
    asset_id: Uuid,
    revision: i64,
    owner_id: Uuid,
    is_video: bool,
    visibility: String,
    is_favorite: bool,
    is_trashed: bool,
    size_bytes: i64,
}

/// What the sums are kept by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    owner_id: Uuid,
    is_video: bool,
    visibility: String,
    is_favorite: bool,
    is_trashed: bool,
}

impl Cell {
    fn of(row: &CountedRow) -> Self {
        Self {
            owner_id: row.owner_id,
            is_video: row.is_video,
            visibility: row.visibility.clone(),
            is_favorite: row.is_favorite,
            is_trashed: row.is_trashed,
        }
    }
}

async fn add_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<Cell, (i64, i64)>,
) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let owner_ids: Vec<Uuid> = deltas.keys().map(|cell| cell.owner_id).collect();
    let videos: Vec<bool> = deltas.keys().map(|cell| cell.is_video).collect();
    let visibilities: Vec<&str> = deltas.keys().map(|cell| cell.visibility.as_str()).collect();
    let favorites: Vec<bool> = deltas.keys().map(|cell| cell.is_favorite).collect();
    let trashed: Vec<bool> = deltas.keys().map(|cell| cell.is_trashed).collect();
    let counts: Vec<i64> = deltas.values().map(|delta| delta.0).collect();
    let sizes: Vec<i64> = deltas.values().map(|delta| delta.1).collect();
    sqlx::query(
        "insert into statistics_v1 as sums
                (owner_id, is_video, visibility, is_favorite, is_trashed, count, size_bytes)
         select * from unnest($1::uuid[], $2::bool[], $3::text[], $4::bool[], $5::bool[],
                              $6::bigint[], $7::bigint[])
         on conflict (owner_id, is_video, visibility, is_favorite, is_trashed)
         do update set count = sums.count + excluded.count,
                       size_bytes = sums.size_bytes + excluded.size_bytes",
    )
    .bind(&owner_ids)
    .bind(&videos)
    .bind(&visibilities)
    .bind(&favorites)
    .bind(&trashed)
    .bind(&counts)
    .bind(&sizes)
    .execute(&mut *tx)
    .await?;
    if counts.iter().any(|count| *count < 0) {
        sqlx::query("delete from statistics_v1 where count = 0 and owner_id = any($1)")
            .bind(&owner_ids)
            .execute(tx)
            .await?;
    }
    Ok(())
}

struct Counted;

impl Fold for Counted {
    fold_sql!("statistics_assets_v1", "asset_id");
    type Row = CountedRow;

    fn key(row: &CountedRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &CountedRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<CountedRow>, event: &Event) -> Option<CountedRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                return Some(CountedRow {
                    asset_id: event.key,
                    revision: event.revision,
                    owner_id: uploaded.owner_id.uuid(),
                    is_video: uploaded.kind == MediaKind::Video,
                    visibility: uploaded.visibility.as_str().to_owned(),
                    is_favorite: uploaded.is_favorite,
                    is_trashed: false,
                    size_bytes: i64::try_from(uploaded.original.size_bytes).unwrap_or(i64::MAX),
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::Favorited(_) => row.is_favorite = true,
            AssetEvent::Unfavorited(_) => row.is_favorite = false,
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::Purged(_) => return None,
            // What lies elsewhere takes no room here, and is held against no quota.
            AssetEvent::Imported(_) => row.size_bytes = 0,
            // Nothing here is counted by what these say, so the row need not be written for them.
            AssetEvent::Uploaded(_)
            | AssetEvent::CameOnline(_)
            | AssetEvent::FileChanged(_)
            | AssetEvent::Relocated(_)
            | AssetEvent::WentOffline(_)
            | AssetEvent::MetadataRecorded(_)
            | AssetEvent::ThumbnailsRecorded(_)
            | AssetEvent::Edited(_)
            | AssetEvent::EditedPicturesRecorded(_)
            | AssetEvent::EditsRemoved(_)
            | AssetEvent::FileDeleted(_)
            | AssetEvent::FullSizeRecorded(_)
            | AssetEvent::Embedded(_)
            | AssetEvent::TextRead(_)
            | AssetEvent::FacesSearched(_)
            | AssetEvent::ProcessingFailed(_)
            | AssetEvent::ProcessingRequested(_)
            | AssetEvent::FailureDismissed(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::DateChanged(_)
            | AssetEvent::LocationChanged(_)
            | AssetEvent::PlaceFound(_)
            | AssetEvent::DateReverted(_)
            | AssetEvent::DescriptionReverted(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::KeyValueRemoved(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::LocationReverted(_)
            | AssetEvent::RatingReverted(_)
            | AssetEvent::FilmLinked(_)
            | AssetEvent::FilmUnlinked(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::OriginalMoved(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::SidecarWritten(_)
            | AssetEvent::VideoEncoded(_)
            | AssetEvent::VideoEncodingSkipped(_)
            | AssetEvent::Stacked(_)
            | AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Unstacked(_)
            | AssetEvent::Untagged(_) => return Some(row),
        }
        row.revision = event.revision;
        Some(row)
    }
}
