//! Finished lists of albums, kept until something in them may have changed.
//!
//! Albums, accounts and links change at the pace of people, so any such change drops every list. Assets change by
//! the thousand while a phone uploads, and few of them are in an album: which changed is remembered, and a list
//! is made anew only when one of those is in an album.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_projections::Event;
use moka::sync::Cache;
use uuid::Uuid;

use crate::finished::Finished;
use crate::problem::Problem;
use crate::state::Api;

/// Memory for finished lists, in bytes.
const LISTS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What an entry takes beside its bytes.
const ENTRY_BYTES: usize = 512;
/// A list is made anew after this, so that a missed change cannot last.
const LIST_CACHED_FOR: Duration = Duration::from_secs(60);
/// Changed assets remembered at once; when there are more, every list is made anew.
const CHANGED_ASSETS_MAX: usize = 10_000;

/// Whose list, and which of their albums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) viewer_id: Uuid,
    pub(super) is_owned: Option<bool>,
    pub(super) is_shared: Option<bool>,
}

/// What changed since the server started.
#[derive(Default)]
struct Changes {
    /// How often every list was dropped.
    drops: u64,
    /// The assets that changed last, each as often as it did.
    assets: VecDeque<Uuid>,
    /// How many changes of assets there were, those that are forgotten included.
    count: u64,
}

/// How far changes were known when something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    drops: u64,
    count: u64,
}

impl Changes {
    const fn seen(&self) -> Seen {
        Seen { drops: self.drops, count: self.count }
    }

    fn drop_all(&mut self) {
        self.drops += 1;
        self.assets.clear();
    }

    fn add(&mut self, asset_id: Uuid) {
        if self.assets.len() >= CHANGED_ASSETS_MAX {
            self.drop_all();
        }
        self.assets.push_back(asset_id);
        self.count += 1;
    }

    /// The assets that changed since then; nothing when every list was dropped since.
    fn since(&self, seen: Seen) -> Option<Vec<Uuid>> {
        if seen.drops != self.drops {
            return None;
        }
        let fresh = usize::try_from(self.count.checked_sub(seen.count)?).ok()?;
        let known = self.assets.len().checked_sub(fresh)?;
        let mut changed: Vec<Uuid> = self.assets.iter().skip(known).copied().collect();
        changed.sort_unstable();
        changed.dedup();
        Some(changed)
    }
}

/// A list as it was made.
struct Kept {
    finished: Arc<Finished>,
    drops: u64,
    /// Up to which change of an asset it is known to hold.
    count: AtomicU64,
}

/// Remembers finished lists.
#[derive(Clone)]
pub(crate) struct AlbumLists {
    kept: Cache<Key, Arc<Kept>>,
    changes: Arc<Mutex<Changes>>,
}

impl Default for AlbumLists {
    fn default() -> Self {
        let kept = Cache::builder()
            .max_capacity(LISTS_BYTES_MAX)
            .weigher(|_: &Key, kept: &Arc<Kept>| {
                u32::try_from(ENTRY_BYTES + kept.finished.weight_bytes()).unwrap_or(u32::MAX)
            })
            .time_to_live(LIST_CACHED_FOR)
            .build();
        Self { kept, changes: Arc::default() }
    }
}

impl AlbumLists {
    /// Takes note of what changed.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        let shows = |event: &&Event| effect(&event.what) != Effect::None;
        let mut shown = events.iter().filter(shows).peekable();
        if shown.peek().is_none() {
            return;
        }
        let mut changes = self.changes();
        for event in shown {
            match effect(&event.what) {
                Effect::OfAsset => changes.add(event.key),
                Effect::OfAll => changes.drop_all(),
                Effect::None => {}
            }
        }
    }

    /// Drops every list.
    pub(crate) fn forget_all(&self) {
        self.changes().drop_all();
        self.kept.invalidate_all();
    }

    fn changes(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list that is kept, where it still holds; else the one that `make` makes.
    ///
    /// # Errors
    /// What the database or `make` said.
    pub(super) async fn answer(
        &self,
        api: &Api,
        key: Key,
        make: impl Future<Output = Result<Vec<u8>, Problem>>,
    ) -> Result<Arc<Finished>, Problem> {
        // Before anything is read: what changes meanwhile counts as not seen.
        let (seen, kept, changed) = {
            let changes = self.changes();
            let kept = self.kept.get(&key);
            let changed = kept.as_ref().and_then(|kept| {
                let count = kept.count.load(Ordering::Acquire);
                changes.since(Seen { drops: kept.drops, count })
            });
            (changes.seen(), kept, changed)
        };
        if let (Some(kept), Some(changed)) = (kept, changed) {
            let holds = changed.is_empty() || !api.queries.any_in_albums(&changed).await?;
            if holds {
                kept.count.fetch_max(seen.count, Ordering::AcqRel);
                return Ok(Arc::clone(&kept.finished));
            }
        }
        let finished = Arc::new(Finished::new(make.await?));
        let count = AtomicU64::new(seen.count);
        let kept = Kept { finished: Arc::clone(&finished), drops: seen.drops, count };
        self.kept.insert(key, Arc::new(kept));
        Ok(finished)
    }
}

/// What an event may change in lists of albums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    None,
    /// Count, dates and cover of the albums that its asset is in.
    OfAsset,
    /// Anything.
    OfAll,
}

const fn effect(what: &AnyEvent) -> Effect {
    match what {
        // What is new is in no album yet.
        AnyEvent::Asset(AssetEvent::Uploaded(_)) => Effect::None,
        // What is gone is in no album any more, so nobody can tell which it was in.
        AnyEvent::Asset(AssetEvent::Purged(_))
        | AnyEvent::Album(_)
        | AnyEvent::SharedLink(_)
        | AnyEvent::User(_) => Effect::OfAll,
        AnyEvent::Asset(_) => Effect::OfAsset,
        _ => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_assets_are_told_since_any_time() {
        let mut changes = Changes::default();
        let first = changes.seen();
        changes.add(Uuid::from_u128(2));
        changes.add(Uuid::from_u128(1));
        let second = changes.seen();
        changes.add(Uuid::from_u128(1));
        assert_eq!(changes.since(first), Some(vec![Uuid::from_u128(1), Uuid::from_u128(2)]));
        assert_eq!(changes.since(second), Some(vec![Uuid::from_u128(1)]));
        assert_eq!(changes.since(changes.seen()), Some(vec![]));
    }

    #[test]
    fn nothing_is_known_since_before_a_drop() {
        let mut changes = Changes::default();
        changes.add(Uuid::from_u128(1));
        let before = changes.seen();
        changes.drop_all();
        assert_eq!(changes.since(before), None);
        let after = changes.seen();
        changes.add(Uuid::from_u128(3));
        assert_eq!(changes.since(after), Some(vec![Uuid::from_u128(3)]));
    }

    #[test]
    fn too_many_changes_drop_every_list() {
        let mut changes = Changes::default();
        let before = changes.seen();
        for number in 0..=CHANGED_ASSETS_MAX {
            changes.add(Uuid::from_u128(u128::try_from(number).unwrap()));
        }
        assert_eq!(changes.since(before), None);
        assert_eq!(changes.assets.len(), 1);
    }
}
