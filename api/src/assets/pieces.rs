//! Assets as lists of found assets show them, kept as finished JSON: a page that was shown before is put together
//! of pieces without reading or writing what they say.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use calotype_domain::catalogue::AnyEvent;
use calotype_projections::Event;
use calotype_projections::search::Hit;
use moka::sync::Cache;
use uuid::Uuid;

use super::dto::AssetResponseDto;
use super::shards::Shards;
use crate::problem::Problem;
use crate::state::Api;

/// Memory for pieces, in bytes.
const PIECES_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What an entry takes beside its bytes.
const ENTRY_BYTES: usize = 160;
/// A piece is made anew after this, so that a missed change cannot last.
const PIECE_CACHED_FOR: Duration = Duration::from_secs(60);

/// In which of its shapes an asset is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    to_owner: bool,
    with_exif: bool,
}

/// Every shape.
const SHAPES: [Shape; 4] = [
    Shape { to_owner: false, with_exif: false },
    Shape { to_owner: false, with_exif: true },
    Shape { to_owner: true, with_exif: false },
    Shape { to_owner: true, with_exif: true },
];

/// Remembers pieces.
#[derive(Clone)]
pub(crate) struct Pieces {
    known: Cache<(Uuid, Shape), Bytes>,
    changes: Shards,
}

impl Default for Pieces {
    fn default() -> Self {
        let known = Cache::builder()
            .max_capacity(PIECES_BYTES_MAX)
            .weigher(|_: &(Uuid, Shape), piece: &Bytes| {
                u32::try_from(ENTRY_BYTES + piece.len()).unwrap_or(u32::MAX)
            })
            .time_to_live(PIECE_CACHED_FOR)
            .build();
        Self { known, changes: Shards::default() }
    }
}

impl Pieces {
    /// Forgets the assets that changed. What a piece says comes from its asset's own events alone.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        for event in events {
            if matches!(event.what, AnyEvent::Asset(_)) {
                self.changes.with(event.key, |changes| {
                    *changes += 1;
                    for shape in SHAPES {
                        self.known.invalidate(&(event.key, shape));
                    }
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

/// What was found, in its order, as JSON without anybody on it. What is gone meanwhile is left out.
///
/// # Errors
/// What the database said.
pub(crate) async fn pieces(
    api: &Api,
    hits: &[Hit],
    viewer_id: Uuid,
    with_exif: bool,
) -> Result<Vec<Bytes>, Problem> {
    let cache = &api.caches.pieces;
    let shape = |owner_id: Uuid| Shape { to_owner: owner_id == viewer_id, with_exif };
    let mut found: Vec<Option<Bytes>> =
        hits.iter().map(|hit| cache.known.get(&(hit.asset_id, shape(hit.owner_id)))).collect();
    let missing: Vec<Uuid> = hits
        .iter()
        .zip(&found)
        .filter(|(_, piece)| piece.is_none())
        .map(|(hit, _)| hit.asset_id)
        .collect();
    if !missing.is_empty() {
        // Before anything is read: what changes meanwhile is not kept.
        let before: HashMap<Uuid, Option<u64>> = missing
            .iter()
            .map(|asset_id| (*asset_id, cache.changes.with(*asset_id, |changes| *changes)))
            .collect();
        let mut made: HashMap<Uuid, Bytes> = HashMap::with_capacity(missing.len());
        for row in api.queries.assets(&missing).await? {
            let (asset_id, shape) = (row.asset_id, shape(row.owner_id));
            let shown = AssetResponseDto::found(row, viewer_id, with_exif);
            let piece = serde_json::to_vec(&shown).map_err(|error| Problem::internal(&error))?;
            let piece = Bytes::from(piece);
            cache.changes.with(asset_id, |changes| {
                if before.get(&asset_id).copied().flatten() == Some(*changes) {
                    cache.known.insert((asset_id, shape), piece.clone());
                }
            });
            made.insert(asset_id, piece);
        }
        for (hit, place) in hits.iter().zip(&mut found).filter(|(_, place)| place.is_none()) {
            *place = made.remove(&hit.asset_id);
        }
    }
    Ok(found.into_iter().flatten().collect())
}
