//! Counters of changes that assets are spread over: what was read before a change is not remembered after it.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// How many counters there are.
const SHARDS: usize = 64;

/// How often assets of each shard changed.
#[derive(Clone)]
pub(super) struct Shards(Arc<[Mutex<u64>; SHARDS]>);

impl Default for Shards {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::new(0))))
    }
}

impl Shards {
    /// Works while nobody else counts or looks at changes of this asset's shard.
    pub(super) fn with<T>(&self, asset_id: Uuid, work: impl FnOnce(&mut u64) -> T) -> Option<T> {
        let shard = usize::from(asset_id.as_bytes()[15]) % SHARDS;
        let counter = self.0.get(shard)?;
        Some(work(&mut counter.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Counts a change of every asset.
    pub(super) fn count_all(&self) {
        for counter in self.0.iter() {
            *counter.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
    }
}
