//! Finished answers of the timeline, plain and compressed, kept as bytes and dropped by person and album.
//!
//! The key holds how often the person's assets changed. An answer that was read before a change therefore
//! lies under a key that nobody asks for any more; it leaves when room is needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::person::PersonEvent;
use calotype_domain::tag::TagEvent;
use calotype_projections::Event;
use calotype_projections::timeline::BucketFilter;
use calotype_projections::{ProjectionError, Queries};
use chrono::NaiveDate;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::filter::Asked;
use super::months::{Changes, MonthCells, Months, Since};
use crate::assets::owners::Owners;
use crate::finished::Finished;
use crate::problem::Problem;

/// Memory for finished answers, in bytes.
const TIMELINE_CACHE_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// What an entry takes beside its bytes.
const ENTRY_BYTES: usize = 1_024;
/// An answer is made anew after this, so that a missed change cannot last.
const ANSWER_CACHED_FOR: Duration = Duration::from_secs(300);

/// What is asked about a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// The months and their counts.
    Months,
    /// The assets of a month.
    Month {
        /// Its first day.
        month: NaiveDate,
        /// With latitude and longitude.
        with_coordinates: bool,
        /// With city and country.
        with_places: bool,
        /// With stacks.
        with_stacked: bool,
    },
}

/// How often everybody's assets changed, and the assets of those people and the album that were asked for.
/// Each only grows, so a sum never comes again after a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Generation {
    all: u64,
    own: u64,
    /// How often it changed who is on what, where that was asked for.
    faces: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    generation: Generation,
    filter: BucketFilter,
    question: Question,
}

/// Remembers finished answers.
#[derive(Clone)]
pub(crate) struct TimelineCache {
    entries: Cache<Key, Arc<OnceCell<Arc<Finished>>>>,
    generations: Arc<Mutex<Generations>>,
    months: Months,
}

#[derive(Default)]
struct Generations {
    all: u64,
    /// How often it changed who is on what, whosever. Only questions about a person depend on it.
    faces: u64,
    /// By person or album; as many as there are.
    own: HashMap<Uuid, Changes>,
}

impl Generations {
    fn count(&self, id: &Uuid) -> u64 {
        self.own.get(id).map_or(0, Changes::count)
    }

    /// The assets of these people that changed since then; nothing when that is not known.
    fn changed(&self, people: &[Uuid], since: &Since) -> Option<Vec<Uuid>> {
        if since.all != self.all || since.own.len() != people.len() {
            return None;
        }
        let mut changed = Vec::new();
        for (id, count) in people.iter().zip(&since.own) {
            if let Some(changes) = self.own.get(id) {
                changed.extend(changes.since(*count)?);
            }
        }
        changed.sort_unstable();
        changed.dedup();
        Some(changed)
    }
}

impl Default for TimelineCache {
    fn default() -> Self {
        let entries = Cache::builder()
            .max_capacity(TIMELINE_CACHE_BYTES_MAX)
            .weigher(|_: &Key, entry: &Arc<OnceCell<Arc<Finished>>>| {
                let bytes = entry.get().map_or(0, |finished| finished.weight_bytes());
                u32::try_from(ENTRY_BYTES + bytes).unwrap_or(u32::MAX)
            })
            // Oldest out first: answers under an old generation are never asked for again.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(ANSWER_CACHED_FOR)
            .build();
        Self { entries, generations: Arc::default(), months: Months::default() }
    }
}

impl TimelineCache {
    /// Counts the changes that show on a timeline.
    pub(crate) fn on_applied(&self, events: &[Event], owners: &Owners) {
        // By person or album: the assets that changed, each on its own or not.
        let mut changed: HashMap<Option<Uuid>, Vec<Option<Uuid>>> = HashMap::new();
        for event in events {
            let (whose, asset_id) = match &event.what {
                AnyEvent::Album(_) => (Some(event.key), None),
                what if shows(what) => (owners.of(event.key), is_alone(what).then_some(event.key)),
                _ => continue,
            };
            changed.entry(whose).or_default().push(asset_id);
        }
        let tells_faces = events.iter().any(|event| tells_faces(&event.what));
        if changed.is_empty() && !tells_faces {
            return;
        }
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.faces += u64::from(tells_faces);
        for (whose, asset_ids) in changed {
            match whose {
                Some(whose) => generations.own.entry(whose).or_default().add(asset_ids),
                // Nobody remembers whose it was: everybody's answers are made anew.
                None => generations.all += 1,
            }
        }
    }

    /// Drops all answers.
    pub(crate) fn forget_all(&self) {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner).all += 1;
        self.entries.invalidate_all();
        self.months.forget_all();
    }

    /// The assets of a month: read whole, or taken from the memory with what changed since read anew.
    ///
    /// # Errors
    /// What the database said.
    pub(super) async fn month(
        &self,
        asked: &Asked,
        month: NaiveDate,
        queries: &Queries,
    ) -> Result<MonthCells, ProjectionError> {
        // Before anything is read: what changes meanwhile is read again next time.
        let (since, changed) = {
            let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            let since = Since {
                all: generations.all,
                own: asked.people.iter().map(|id| generations.count(id)).collect(),
            };
            let kept = self.months.since(&asked.filter, month);
            (since, kept.and_then(|kept| generations.changed(&asked.people, &kept)))
        };
        self.months.read(&asked.filter, month, since, changed, queries).await
    }

    fn generation(&self, asked: &Asked) -> Generation {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |id: &Uuid| generations.count(id);
        let own = asked.people.iter().chain(&asked.filter.album_id).map(of).sum();
        let faces = asked.filter.person_id.map_or(0, |_| generations.faces);
        Generation { all: generations.all, own, faces }
    }

    /// The answer to a question: the one that is there, or one that `make` makes, once for all who ask.
    ///
    /// # Errors
    /// What `make` says; then the next who asks tries again.
    pub(super) async fn answer(
        &self,
        asked: &Asked,
        question: Question,
        make: impl Future<Output = Result<Vec<u8>, Problem>>,
    ) -> Result<Arc<Finished>, Problem> {
        let generation = self.generation(asked);
        let key = Key { generation, filter: asked.filter.clone(), question };
        let entry = self.entries.get_with_by_ref(&key, Arc::default);
        let mut is_new = false;
        let making = async {
            is_new = true;
            make.await.map(|plain| Arc::new(Finished::new(plain)))
        };
        let finished = Arc::clone(entry.get_or_try_init(|| making).await?);
        if is_new {
            // Put in again, because now its weight is known.
            self.entries.insert(key, entry);
        }
        Ok(finished)
    }
}

/// Whether an event changes the cells of its own asset only, and leaves them there.
fn is_alone(what: &AnyEvent) -> bool {
    let AnyEvent::Asset(what) = what else { return false };
    !matches!(what, AssetEvent::Stacked(_) | AssetEvent::Unstacked(_) | AssetEvent::Purged(_))
}

/// Whether an event changes who is on what.
fn tells_faces(what: &AnyEvent) -> bool {
    match what {
        AnyEvent::Faces(_) => true,
        AnyEvent::Person(what) => {
            matches!(
                what,
                PersonEvent::MergedInto(_) | PersonEvent::Deleted(_) | PersonEvent::Restored(_)
            )
        }
        _ => false,
    }
}

/// Whether an event changes what a timeline shows.
fn shows(what: &AnyEvent) -> bool {
    let what = match what {
        AnyEvent::Asset(what) => what,
        // What carries a tag does so no more, or again.
        AnyEvent::Tag(what) => {
            return matches!(what, TagEvent::Deleted(_) | TagEvent::Restored(_));
        }
        _ => return false,
    };
    match what {
        AssetEvent::DateChanged(_)
        | AssetEvent::DateReverted(_)
        | AssetEvent::EditedPicturesRecorded(_)
        | AssetEvent::EditsRemoved(_)
        | AssetEvent::Favorited(_)
        | AssetEvent::FilmLinked(_)
        | AssetEvent::FilmUnlinked(_)
        | AssetEvent::LocationChanged(_)
        | AssetEvent::LocationReverted(_)
        | AssetEvent::MetadataRecorded(_)
        | AssetEvent::PlaceFound(_)
        | AssetEvent::Purged(_)
        | AssetEvent::Restored(_)
        | AssetEvent::ThumbnailsRecorded(_)
        | AssetEvent::Stacked(_)
        | AssetEvent::Tagged(_)
        | AssetEvent::TaggedByFile(_)
        | AssetEvent::UntaggedByFile(_)
        | AssetEvent::Trashed(_)
        | AssetEvent::Unfavorited(_)
        | AssetEvent::Unstacked(_)
        | AssetEvent::Untagged(_)
        | AssetEvent::Uploaded(_)
        | AssetEvent::VisibilityChanged(_) => true,
        AssetEvent::DescriptionChanged(_)
        | AssetEvent::Edited(_)
        | AssetEvent::FileDeleted(_)
        | AssetEvent::FullSizeRecorded(_)
        | AssetEvent::Embedded(_)
        | AssetEvent::TextRead(_)
        | AssetEvent::FacesSearched(_)
        | AssetEvent::DescriptionReverted(_)
        | AssetEvent::DuplicatesDismissed(_)
        | AssetEvent::DuplicatesFound(_)
        | AssetEvent::KeyValueRemoved(_)
        | AssetEvent::KeyValueSet(_)
        | AssetEvent::RatingReverted(_)
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
        | AssetEvent::ProcessingFailed(_)
        | AssetEvent::ProcessingRequested(_)
        | AssetEvent::FailureDismissed(_)
        | AssetEvent::RatingChanged(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use calotype_projections::timeline::BucketOrder;

    use super::*;

    fn asked(owner: u128) -> Asked {
        let filter = BucketFilter {
            viewer_id: Uuid::from_u128(owner),
            owner_ids: vec![Uuid::from_u128(owner)],
            album_id: None,
            visibilities: vec!["timeline".into()],
            is_favorite: None,
            is_trashed: false,
            tag_id: None,
            person_id: None,
            bounds: None,
            with_stacked: false,
            order_by: BucketOrder::Taken,
            ascending: false,
        };
        let people = vec![Uuid::from_u128(owner)];
        Asked { filter, people, with_coordinates: false, with_places: true, time_bucket: None }
    }

    async fn ask(cache: &TimelineCache, owner: u128, made: &AtomicUsize) -> Arc<Finished> {
        let make = async {
            tokio::task::yield_now().await;
            Ok(format!("[{}]", made.fetch_add(1, Ordering::SeqCst)).into_bytes())
        };
        cache.answer(&asked(owner), Question::Months, make).await.unwrap()
    }

    #[tokio::test]
    async fn answer_is_made_once_for_all_who_ask() {
        let (cache, made) = (TimelineCache::default(), AtomicUsize::new(0));
        let answers = futures::future::join_all((0..20).map(|_| ask(&cache, 1, &made))).await;
        assert_eq!(made.load(Ordering::SeqCst), 1);
        assert!(answers.iter().all(|answer| answer.plain == answers[0].plain));
    }

    #[tokio::test]
    async fn change_drops_only_what_is_the_owners() {
        let (cache, made) = (TimelineCache::default(), AtomicUsize::new(0));
        ask(&cache, 1, &made).await;
        ask(&cache, 2, &made).await;
        let own = |cache: &TimelineCache| {
            let mut generations = cache.generations.lock().unwrap();
            generations.own.entry(Uuid::from_u128(1)).or_default().add(vec![None]);
        };
        own(&cache);
        ask(&cache, 2, &made).await;
        assert_eq!(made.load(Ordering::SeqCst), 2);
        ask(&cache, 1, &made).await;
        assert_eq!(made.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn who_is_on_what_drops_only_what_was_asked_of_a_person() {
        let (cache, made) = (TimelineCache::default(), AtomicUsize::new(0));
        let mut of_person = asked(1);
        of_person.filter.person_id = Some(Uuid::from_u128(9));
        let make = async || Ok(format!("{}", made.fetch_add(1, Ordering::SeqCst)).into_bytes());
        cache.answer(&of_person, Question::Months, make()).await.unwrap();
        ask(&cache, 1, &made).await;
        cache.generations.lock().unwrap().faces += 1;
        ask(&cache, 1, &made).await;
        assert_eq!(made.load(Ordering::SeqCst), 2);
        cache.answer(&of_person, Question::Months, make()).await.unwrap();
        assert_eq!(made.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn failed_answer_is_not_kept() {
        let (cache, made) = (TimelineCache::default(), AtomicUsize::new(0));
        let failing = async { Err(Problem::unavailable()) };
        assert!(cache.answer(&asked(1), Question::Months, failing).await.is_err());
        assert_eq!(ask(&cache, 1, &made).await.plain, "[0]");
    }
}
