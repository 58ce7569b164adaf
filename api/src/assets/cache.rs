//! What serving a file needs to know of its asset: looked up once, dropped when the asset changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calotype_domain::catalogue::AnyEvent;
use calotype_domain::permission::Permission;
use calotype_projections::Event;
use calotype_projections::assets::AssetRow;
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use uuid::Uuid;

use crate::access::{AssetFacts, require_facts};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Assets remembered at once, at about half a kilobyte each.
const ASSETS_CACHED_MAX: u64 = 50_000;
/// A remembered asset is looked up anew after this, so that a missed change cannot last.
const ASSET_CACHED_FOR: Duration = Duration::from_secs(60);
/// Assets are spread over this many counters of changes.
const SHARDS: usize = 64;

/// The part of an asset that serving its files needs.
#[derive(Clone, Debug)]
pub(crate) struct AssetFiles {
    facts: AssetFacts,
    pub(crate) is_video: bool,
    pub(crate) file_name: String,
    pub(crate) original_key: String,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) thumbnail_key: Option<String>,
    pub(crate) preview_key: Option<String>,
}

/// Remembers assets by id.
#[derive(Clone)]
pub(crate) struct AssetCache {
    known: Cache<Uuid, Arc<AssetFiles>>,
    /// How often assets of a shard changed. What was read before a change is not remembered after it.
    changes: Arc<[Mutex<u64>; SHARDS]>,
}

impl Default for AssetCache {
    fn default() -> Self {
        Self {
            known: Cache::builder()
                .max_capacity(ASSETS_CACHED_MAX)
                .time_to_live(ASSET_CACHED_FOR)
                .build(),
            changes: Arc::new(std::array::from_fn(|_| Mutex::new(0))),
        }
    }
}

impl AssetCache {
    /// Forgets the assets that changed.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        for event in events {
            if matches!(event.what, AnyEvent::Asset(_)) {
                self.with_changes(event.key, |changes| {
                    *changes += 1;
                    self.known.invalidate(&event.key);
                });
            }
        }
    }

    /// Forgets all assets.
    pub(crate) fn forget_all(&self) {
        for counter in self.changes.iter() {
            *counter.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        self.known.invalidate_all();
    }

    fn with_changes<T>(&self, asset_id: Uuid, work: impl FnOnce(&mut u64) -> T) -> Option<T> {
        let shard = usize::from(asset_id.as_bytes()[15]) % SHARDS;
        let counter = self.changes.get(shard)?;
        Some(work(&mut counter.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The files of an asset that the caller may use for `permission`.
///
/// # Errors
/// 400 `Not found or no … access`, for a missing asset too.
pub(crate) async fn allowed_files(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    asset_id: Uuid,
) -> Result<Arc<AssetFiles>, Problem> {
    let files = files(api, asset_id).await?.ok_or_else(|| Problem::no_access(permission))?;
    require_facts(api, caller, permission, &[files.facts]).await?;
    Ok(files)
}

async fn files(api: &Api, asset_id: Uuid) -> Result<Option<Arc<AssetFiles>>, Problem> {
    let cache = &api.caches.assets;
    if let Some(files) = cache.known.get(&asset_id) {
        return Ok(Some(files));
    }
    let before = cache.with_changes(asset_id, |changes| *changes);
    let Some(row) = api.queries.asset(asset_id).await? else { return Ok(None) };
    let files = Arc::new(of_row(row)?);
    cache.with_changes(asset_id, |changes| {
        if before == Some(*changes) {
            cache.known.insert(asset_id, Arc::clone(&files));
        }
    });
    Ok(Some(files))
}

fn of_row(row: AssetRow) -> Result<AssetFiles, Problem> {
    Ok(AssetFiles {
        facts: AssetFacts::of(&row)?,
        is_video: row.is_video,
        file_name: row.file_name,
        original_key: row.original_key,
        modified: row.file_modified_at,
        thumbnail_key: row.thumbnail_key,
        preview_key: row.preview_key,
    })
}
