//! Events of batches to rows of `batches_v1`.

use async_trait::async_trait;
use calotype_domain::batch::{BatchEvent, BatchOpened, Counts};
use calotype_domain::catalogue::AnyEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::BatchRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `batches_v1`.
pub struct BatchesProjection;

#[async_trait]
impl Projection for BatchesProjection {
    fn name(&self) -> &'static str {
        "batches"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["batches_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["batch"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_in_tx::<Batches>(tx, events).await.map(drop)
    }
}

struct Batches;

impl Fold for Batches {
    fold_sql!("batches_v1", "batch_id");
    type Row = BatchRow;

    fn key(row: &BatchRow) -> Uuid {
        row.batch_id
    }

    fn revision(row: &BatchRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<BatchRow>, event: &Event) -> Option<BatchRow> {
        let AnyEvent::Batch(what) = &event.what else { return row };
        let mut row = match what {
            BatchEvent::Opened(BatchOpened { owner_id }) => opened(owner_id.uuid(), event),
            BatchEvent::Committed(_) | BatchEvent::Closed(_) | BatchEvent::RolledBack(_) => row?,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            BatchEvent::Opened(_) => {}
            BatchEvent::Committed(committed) => {
                let mut counts = Counts::default();
                counts.add(committed);
                row.created += signed(counts.created);
                row.duplicates += signed(counts.duplicates);
                row.created_bytes = row.created_bytes.saturating_add(signed(counts.created_bytes));
                row.albums += signed(counts.albums);
                row.tags += signed(counts.tags);
                row.album_entries += signed(counts.album_entries);
            }
            BatchEvent::Closed(_) => row.closed_at = Some(event.recorded_at),
            BatchEvent::RolledBack(rolled_back) => {
                if rolled_back.is_done {
                    row.rolled_back_at = Some(event.recorded_at);
                }
            }
        }
        Some(row)
    }
}

fn opened(owner_id: Uuid, event: &Event) -> BatchRow {
    BatchRow {
        batch_id: event.key,
        revision: event.revision,
        owner_id,
        opened_at: event.recorded_at,
        updated_at: event.recorded_at,
        closed_at: None,
        rolled_back_at: None,
        created: 0,
        duplicates: 0,
        created_bytes: 0,
        albums: 0,
        tags: 0,
        album_entries: 0,
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
