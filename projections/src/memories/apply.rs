//! Events of memories to rows of `memories_v1`.

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::memory::{MemoryCreated, MemoryEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::MemoryRow;
use crate::error::ProjectionError;
use crate::event::{Event, forget_users_in_tx};
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `memories_v1`.
pub struct MemoriesProjection;

#[async_trait]
impl Projection for MemoriesProjection {
    fn name(&self) -> &'static str {
        "memories"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["memories_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["memory", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Memories>(tx, events, |it| matches!(it.what, AnyEvent::Memory(_))).await?;
        forget_users_in_tx(tx, events, "delete from memories_v1 where owner_id = any($1)").await
    }
}

struct Memories;

impl Fold for Memories {
    fold_sql!("memories_v1", "memory_id");
    type Row = MemoryRow;

    fn key(row: &MemoryRow) -> Uuid {
        row.memory_id
    }

    fn revision(row: &MemoryRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<MemoryRow>, event: &Event) -> Option<MemoryRow> {
        let AnyEvent::Memory(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, MemoryEvent::Created(created)) => return Some(fresh(created, event)),
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            MemoryEvent::Created(_) => {}
            MemoryEvent::Saved(_) => row.is_saved = true,
            MemoryEvent::Unsaved(_) => row.is_saved = false,
            MemoryEvent::Seen(seen) => row.seen_at = Some(seen.seen_at),
            MemoryEvent::DateChanged(changed) => row.memory_at = changed.memory_at,
            MemoryEvent::AssetsAdded(added) => row.asset_ids.extend(bare(&added.asset_ids)),
            MemoryEvent::AssetsRemoved(removed) => {
                let gone = bare(&removed.asset_ids);
                row.asset_ids.retain(|asset_id| !gone.contains(asset_id));
            }
            MemoryEvent::Deleted(_) => row.is_deleted = true,
            MemoryEvent::Restored(_) => row.is_deleted = false,
        }
        Some(row)
    }
}

fn fresh(created: &MemoryCreated, event: &Event) -> MemoryRow {
    MemoryRow {
        memory_id: event.key,
        revision: event.revision,
        owner_id: created.owner_id.uuid(),
        year: i32::from(created.on_this_day.year),
        memory_at: created.memory_at,
        show_at: created.show_at,
        hide_at: created.hide_at,
        seen_at: created.seen_at,
        is_saved: created.is_saved,
        is_deleted: false,
        asset_ids: bare(&created.asset_ids),
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
    }
}

fn bare(asset_ids: &[AssetId]) -> Vec<Uuid> {
    asset_ids.iter().map(|asset_id| asset_id.uuid()).collect()
}
