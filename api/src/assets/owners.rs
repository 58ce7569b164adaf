//! Whose assets are, for what is told or dropped by person: most events of an asset do not name its owner.

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_projections::Event;
use calotype_projections::assets::AssetRow;
use moka::sync::Cache;
use uuid::Uuid;

/// Owners remembered at once, at about 100 bytes each.
const OWNERS_CACHED_MAX: u64 = 200_000;

/// Remembers owners of assets. An owner never changes, so nothing is ever dropped but for room.
#[derive(Clone)]
pub(crate) struct Owners {
    known: Cache<Uuid, Uuid>,
}

impl Default for Owners {
    fn default() -> Self {
        Self { known: Cache::new(OWNERS_CACHED_MAX) }
    }
}

impl Owners {
    /// Learns from uploads.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        for event in events {
            if let AnyEvent::Asset(AssetEvent::Uploaded(uploaded)) = &event.what {
                self.known.insert(event.key, uploaded.owner_id.uuid());
            }
        }
    }

    /// Learns from rows that are about to change.
    pub(crate) fn learn(&self, assets: &[AssetRow]) {
        for asset in assets {
            self.known.insert(asset.asset_id, asset.owner_id);
        }
    }

    /// Whose an asset is, where that is remembered.
    pub(crate) fn of(&self, asset_id: Uuid) -> Option<Uuid> {
        self.known.get(&asset_id)
    }
}
