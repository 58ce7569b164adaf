//! What a person stores, summed by kind and state: a few rows, remembered until that person's assets change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calotype_domain::catalogue::AnyEvent;
use calotype_projections::Event;
use calotype_projections::statistics::Sum;
use moka::sync::Cache;
use uuid::Uuid;

use super::owners::Owners;
use crate::problem::Problem;
use crate::state::Api;

/// People remembered at once, at about two kilobytes each.
const PEOPLE_CACHED_MAX: u64 = 1_000;
/// Sums are looked up anew after this, so that a missed change cannot last.
const SUMS_CACHED_FOR: Duration = Duration::from_secs(60);

/// Remembers sums by person.
#[derive(Clone)]
pub(crate) struct SumsCache {
    known: Cache<Uuid, Arc<Vec<Sum>>>,
    /// How often anybody's assets changed. What was read before a change is not remembered after it.
    changes: Arc<AtomicU64>,
}

impl Default for SumsCache {
    fn default() -> Self {
        let known =
            Cache::builder().max_capacity(PEOPLE_CACHED_MAX).time_to_live(SUMS_CACHED_FOR).build();
        Self { known, changes: Arc::default() }
    }
}

impl SumsCache {
    /// Forgets the sums of those whose assets changed.
    pub(crate) fn on_applied(&self, events: &[Event], owners: &Owners) {
        let mut changed: Vec<Option<Uuid>> = events
            .iter()
            .filter(|event| matches!(event.what, AnyEvent::Asset(_)))
            .map(|event| owners.of(event.key))
            .collect();
        changed.sort_unstable();
        changed.dedup();
        if changed.is_empty() {
            return;
        }
        self.changes.fetch_add(1, Ordering::AcqRel);
        for owner_id in changed {
            match owner_id {
                Some(owner_id) => self.known.invalidate(&owner_id),
                None => self.known.invalidate_all(),
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate_all();
    }
}

/// What a person stores, by kind and state.
///
/// # Errors
/// What the database said.
pub(crate) async fn sums(api: &Api, owner_id: Uuid) -> Result<Arc<Vec<Sum>>, Problem> {
    let cache = &api.caches.sums;
    if let Some(sums) = cache.known.get(&owner_id) {
        return Ok(sums);
    }
    let changes = cache.changes.load(Ordering::Acquire);
    let sums = Arc::new(api.queries.sums(owner_id).await?);
    cache.known.insert(owner_id, Arc::clone(&sums));
    if cache.changes.load(Ordering::Acquire) != changes {
        cache.known.invalidate(&owner_id);
    }
    Ok(sums)
}

/// Bytes of a person's originals.
///
/// # Errors
/// What the database said.
pub(crate) async fn usage_bytes(api: &Api, owner_id: Uuid) -> Result<i64, Problem> {
    Ok(sums(api, owner_id).await?.iter().map(|sum| sum.size_bytes).sum())
}
