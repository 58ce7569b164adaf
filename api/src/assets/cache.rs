//! What serving a file needs to know of its asset: looked up once, dropped when the asset changes.

use std::sync::Arc;
use std::time::Duration;

use calotype_domain::catalogue::AnyEvent;
use calotype_domain::permission::Permission;
use calotype_projections::Event;
use calotype_projections::assets::{AssetRow, EditedPictures};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use uuid::Uuid;

use super::shards::Shards;
use crate::access::{AssetFacts, require_facts};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Assets remembered at once, at about half a kilobyte each.
const ASSETS_CACHED_MAX: u64 = 50_000;
/// A remembered asset is looked up anew after this, so that a missed change cannot last.
const ASSET_CACHED_FOR: Duration = Duration::from_secs(60);

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
    /// The picture at full size, of a file that browsers do not show.
    pub(crate) full_size_key: Option<String>,
    /// The pictures of the edited photo.
    pub(crate) edited: Option<EditedPictures>,
    /// The copy of a film that every player shows.
    pub(crate) encoded_key: Option<String>,
}

impl AssetFiles {
    /// Whose files they are.
    pub(crate) const fn owner_id(&self) -> Uuid {
        self.facts.owner_id
    }
}

/// Remembers assets by id.
#[derive(Clone)]
pub(crate) struct AssetCache {
    known: Cache<Uuid, Arc<AssetFiles>>,
    changes: Shards,
}

impl Default for AssetCache {
    fn default() -> Self {
        Self {
            known: Cache::builder()
                .max_capacity(ASSETS_CACHED_MAX)
                .time_to_live(ASSET_CACHED_FOR)
                .build(),
            changes: Shards::default(),
        }
    }
}

impl AssetCache {
    /// Forgets the assets that changed.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        for event in events {
            if matches!(event.what, AnyEvent::Asset(_)) {
                self.changes.with(event.key, |changes| {
                    *changes += 1;
                    self.known.invalidate(&event.key);
                });
            }
        }
    }

    /// Forgets all assets.
    pub(crate) fn forget_all(&self) {
        self.changes.count_all();
        self.known.invalidate_all();
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
    let before = cache.changes.with(asset_id, |changes| *changes);
    let Some(row) = api.queries.asset(asset_id).await? else { return Ok(None) };
    let encoded_key = if row.is_video { api.queries.encoded_film(asset_id).await? } else { None };
    let files = Arc::new(of_row(row, encoded_key)?);
    cache.changes.with(asset_id, |changes| {
        if before == Some(*changes) {
            cache.known.insert(asset_id, Arc::clone(&files));
        }
    });
    Ok(Some(files))
}

fn of_row(row: AssetRow, encoded_key: Option<String>) -> Result<AssetFiles, Problem> {
    Ok(AssetFiles {
        facts: AssetFacts::of(&row)?,
        is_video: row.is_video,
        file_name: row.file_name,
        original_key: row.original_key,
        modified: row.file_modified_at,
        thumbnail_key: row.thumbnail_key,
        preview_key: row.preview_key,
        full_size_key: row.full_size_key,
        edited: row.edited.and_then(|edited| edited.0.pictures),
        encoded_key,
    })
}
