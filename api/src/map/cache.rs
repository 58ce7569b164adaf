//! Finished sheets of maps: a month's markers as JSON, made anew only when something on the sheet changed.
//!
//! An answer is put together of sheets without copying them, so that after a change it costs what the
//! changed month costs, and otherwise next to nothing. Sheets are told apart by the digests that the
//! projection keeps, so that what is remembered cannot be older than what the projection says.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_projections::search::{Marker, MarkerFilter, Sheet};
use calotype_projections::{Event, Queries};
use chrono::NaiveDate;
use moka::sync::Cache;
use uuid::Uuid;

use super::finished::{FinishedMap, FinishedSheet};
use crate::assets::owners::Owners;
use crate::problem::Problem;
use crate::sharing::changes_sharing;

/// Memory for finished sheets, in bytes.
const MAP_CACHE_BYTES_MAX: u64 = 192 * 1024 * 1024;
/// Nobody's map is kept longer than this after it was looked at last.
const MAP_CACHED_FOR: Duration = Duration::from_secs(600);
/// A map is compared with the projection after this, so that a missed change cannot last.
const MAP_TRUSTED_FOR: Duration = Duration::from_secs(60);

/// Whose assets a map shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// A person's own.
    Own(Uuid),
    /// Others' in a person's albums.
    Shared {
        /// That person.
        viewer_id: Uuid,
        /// Who show their timelines on maps of their own.
        partners: Vec<Uuid>,
    },
}

/// Whose map, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    whose: Whose,
    with_archived: bool,
    is_favorite: Option<bool>,
}

/// How often everybody's and a person's located assets changed.
#[derive(Default)]
struct Generations {
    all: u64,
    /// Every change there was, those of who sees what included.
    total: u64,
    own: HashMap<Uuid, u64>,
}

/// A map as it was put together last.
#[derive(Clone)]
struct Kept {
    generation: (u64, u64),
    at: std::time::Instant,
    map: Arc<FinishedMap>,
}

/// Remembers maps.
#[derive(Clone)]
pub(crate) struct MapCache {
    kept: Cache<Key, Kept>,
    generations: Arc<Mutex<Generations>>,
}

impl Default for MapCache {
    fn default() -> Self {
        let kept = Cache::builder()
            .max_capacity(MAP_CACHE_BYTES_MAX)
            .weigher(|_: &Key, kept: &Kept| {
                u32::try_from(kept.map.weight_bytes()).unwrap_or(u32::MAX)
            })
            .time_to_idle(MAP_CACHED_FOR)
            .build();
        Self { kept, generations: Arc::default() }
    }
}

impl MapCache {
    /// Counts the changes that a map may show.
    pub(crate) fn on_applied(&self, events: &[Event], owners: &Owners) {
        let shown = events.iter().filter(|event| shows(&event.what));
        let mut changed: Vec<Option<Uuid>> = shown.map(|event| owners.of(event.key)).collect();
        changed.sort_unstable();
        changed.dedup();
        if changed.is_empty() && !events.iter().any(|event| changes_sharing(&event.what)) {
            return;
        }
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.total += 1;
        for owner_id in changed {
            match owner_id {
                Some(owner_id) => *generations.own.entry(owner_id).or_default() += 1,
                None => generations.all += 1,
            }
        }
    }

    /// Drops everything.
    pub(crate) fn forget_all(&self) {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner).all += 1;
        self.kept.invalidate_all();
    }

    fn generation(&self, owner_id: Uuid) -> (u64, u64) {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        (generations.all, generations.own.get(&owner_id).copied().unwrap_or_default())
    }

    /// A person's map as it is now.
    ///
    /// # Errors
    /// 500 when the database does not answer.
    pub(super) async fn map(
        &self,
        queries: &Queries,
        owner_id: Uuid,
        filter: MarkerFilter,
    ) -> Result<Arc<FinishedMap>, Problem> {
        let MarkerFilter { with_archived, is_favorite, .. } = filter;
        let key = Key { whose: Whose::Own(owner_id), with_archived, is_favorite };
        let generation = self.generation(owner_id);
        let before = self.kept.get(&key);
        if let Some(kept) = &before
            && kept.generation == generation
            && kept.at.elapsed() < MAP_TRUSTED_FOR
        {
            return Ok(Arc::clone(&kept.map));
        }
        let before = before.map(|kept| kept.map);
        let is_known = |sheet: &Sheet| known(before.as_deref(), sheet).is_some();
        let (sheets, markers) = queries.map_since(owner_id, filter, is_known).await?;
        let map = tokio::task::spawn_blocking(move || compose(before.as_deref(), &sheets, markers))
            .await
            .map_err(|error| Problem::internal(&error))?;
        let map = Arc::new(map);
        let at = std::time::Instant::now();
        self.kept.insert(key, Kept { generation, at, map: Arc::clone(&map) });
        Ok(map)
    }

    /// What others show on a person's map by albums. Made anew after any change on any map: who is in an
    /// album together changes little, and together little.
    ///
    /// # Errors
    /// 500 when the database does not answer.
    pub(super) async fn shared(
        &self,
        queries: &Queries,
        viewer_id: Uuid,
        partners: &[Uuid],
        filter: MarkerFilter,
    ) -> Result<Arc<FinishedMap>, Problem> {
        let MarkerFilter { with_archived, is_favorite, .. } = filter;
        let whose = Whose::Shared { viewer_id, partners: partners.to_vec() };
        let key = Key { whose, with_archived, is_favorite };
        let generation = {
            let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            (generations.all, generations.total)
        };
        if let Some(kept) = self.kept.get(&key)
            && kept.generation == generation
            && kept.at.elapsed() < MAP_TRUSTED_FOR
        {
            return Ok(kept.map);
        }
        let map = Arc::new(
            FinishedMap::of(queries.shared_markers(viewer_id, partners, filter).await?).await?,
        );
        let at = std::time::Instant::now();
        self.kept.insert(key, Kept { generation, at, map: Arc::clone(&map) });
        Ok(map)
    }
}

fn known(before: Option<&FinishedMap>, sheet: &Sheet) -> Option<Arc<FinishedSheet>> {
    before?.sheet(sheet.month).filter(|kept| kept.digest == sheet.digest)
}

/// The old sheets that still hold, and new ones of the markers, the newest first.
fn compose(before: Option<&FinishedMap>, sheets: &[Sheet], markers: Vec<Marker>) -> FinishedMap {
    let mut by_month: BTreeMap<NaiveDate, Vec<Marker>> = BTreeMap::new();
    for marker in markers {
        by_month.entry(marker.month).or_default().push(marker);
    }
    let finished = sheets.iter().map(|sheet| {
        known(before, sheet).unwrap_or_else(|| {
            let markers = by_month.remove(&sheet.month).unwrap_or_default();
            Arc::new(FinishedSheet::new(sheet.month, sheet.digest, &markers))
        })
    });
    FinishedMap::new(finished.collect())
}

/// Whether an event may change what a map shows.
fn shows(what: &AnyEvent) -> bool {
    let AnyEvent::Asset(what) = what else { return false };
    match what {
        AssetEvent::DateChanged(_)
        | AssetEvent::DateReverted(_)
        | AssetEvent::Favorited(_)
        | AssetEvent::LocationChanged(_)
        | AssetEvent::LocationReverted(_)
        | AssetEvent::MetadataRecorded(_)
        | AssetEvent::PlaceFound(_)
        | AssetEvent::Purged(_)
        | AssetEvent::Restored(_)
        | AssetEvent::Trashed(_)
        | AssetEvent::Unfavorited(_)
        | AssetEvent::VisibilityChanged(_) => true,
        AssetEvent::DescriptionChanged(_)
        | AssetEvent::DescriptionReverted(_)
        | AssetEvent::DuplicatesDismissed(_)
        | AssetEvent::DuplicatesFound(_)
        | AssetEvent::KeyValueRemoved(_)
        | AssetEvent::KeyValueSet(_)
        | AssetEvent::RatingReverted(_)
        | AssetEvent::FilmLinked(_)
        | AssetEvent::FilmUnlinked(_)
        | AssetEvent::LivePartsFound(_)
        | AssetEvent::CameOnline(_)
        | AssetEvent::FileChanged(_)
        | AssetEvent::Imported(_)
        | AssetEvent::Relocated(_)
        | AssetEvent::WentOffline(_)
        | AssetEvent::OriginalRestored(_)
        | AssetEvent::OriginalMoved(_)
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
        | AssetEvent::Untagged(_)
        | AssetEvent::Edited(_)
        | AssetEvent::EditedPicturesRecorded(_)
        | AssetEvent::EditsRemoved(_)
        | AssetEvent::FileDeleted(_)
        | AssetEvent::FullSizeRecorded(_)
        | AssetEvent::Embedded(_)
        | AssetEvent::TextRead(_)
        | AssetEvent::FacesSearched(_)
        | AssetEvent::FailureDismissed(_)
        | AssetEvent::ProcessingFailed(_)
        | AssetEvent::ProcessingRequested(_)
        | AssetEvent::RatingChanged(_)
        | AssetEvent::ThumbnailsRecorded(_)
        | AssetEvent::Uploaded(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn marker(text: &str, id: u128) -> Marker {
        Marker {
            month: month(text),
            asset_id: Uuid::from_u128(id),
            latitude: 1.0,
            longitude: 2.5,
            city: None,
            state: None,
            country: Some("France".into()),
        }
    }

    #[test]
    fn only_changed_sheets_are_made_anew() {
        let (may, june) = ("2024-05-01", "2024-06-01");
        let sheet = |text: &str, digest| Sheet { month: month(text), count: 1, digest };
        let first = Arc::new(compose(
            None,
            &[sheet(june, 1), sheet(may, 2)],
            vec![marker(june, 1), marker(may, 2)],
        ));
        let second = compose(Some(&first), &[sheet(june, 3), sheet(may, 2)], vec![marker(june, 3)]);
        let same = |text| {
            Arc::ptr_eq(&first.sheet(month(text)).unwrap(), &second.sheet(month(text)).unwrap())
        };
        assert!(same(may));
        assert!(!same(june));
        assert_ne!(first.etag, second.etag);
    }
}
