//! Events of stacks to rows of `stacks_v1` and `stack_assets_v1`.

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::stack::StackEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::StackRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `stacks_v1` and `stack_assets_v1`.
pub struct StacksProjection;

#[async_trait]
impl Projection for StacksProjection {
    fn name(&self) -> &'static str {
        "stacks"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["stacks_v1", "stack_assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["stack"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let changes = fold_in_tx::<Stacks>(tx, events).await?;
        let rows: Vec<StackRow> = changes.into_iter().filter_map(|change| change.after).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let changed: Vec<Uuid> = rows.iter().map(|row| row.stack_id).collect();
        sqlx::query("delete from stack_assets_v1 where stack_id = any($1)")
            .bind(&changed)
            .execute(&mut *tx)
            .await?;
        let (stack_ids, asset_ids): (Vec<Uuid>, Vec<Uuid>) = rows
            .iter()
            .flat_map(|row| row.asset_ids.iter().map(|asset_id| (row.stack_id, *asset_id)))
            .unzip();
        if !stack_ids.is_empty() {
            sqlx::query(
                "insert into stack_assets_v1 (stack_id, asset_id)
                 select * from unnest($1::uuid[], $2::uuid[])",
            )
            .bind(&stack_ids)
            .bind(&asset_ids)
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

struct Stacks;

impl Fold for Stacks {
    fold_sql!("stacks_v1", "stack_id");
    type Row = StackRow;

    fn key(row: &StackRow) -> Uuid {
        row.stack_id
    }

    fn revision(row: &StackRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<StackRow>, event: &Event) -> Option<StackRow> {
        let AnyEvent::Stack(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, StackEvent::Created(created)) => {
                return Some(StackRow {
                    stack_id: event.key,
                    revision: event.revision,
                    owner_id: created.owner_id.uuid(),
                    primary_asset_id: created.asset_ids.first().copied().map(AssetId::uuid),
                    asset_ids: bare(&created.asset_ids),
                    created_at: event.recorded_at,
                    updated_at: event.recorded_at,
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            StackEvent::Created(_) => {}
            StackEvent::PrimaryChanged(changed) => {
                row.primary_asset_id = Some(changed.primary_asset_id.uuid());
            }
            StackEvent::AssetAdded(added) => row.asset_ids.push(added.asset_id.uuid()),
            StackEvent::AssetRemoved(removed) => {
                row.asset_ids.retain(|asset_id| *asset_id != removed.asset_id.uuid());
            }
            StackEvent::Dissolved(_) => {
                row.asset_ids.clear();
                row.primary_asset_id = None;
            }
            StackEvent::Restored(restored) => {
                row.asset_ids = bare(&restored.asset_ids);
                row.primary_asset_id = Some(restored.primary_asset_id.uuid());
            }
        }
        Some(row)
    }
}

fn bare(asset_ids: &[AssetId]) -> Vec<Uuid> {
    asset_ids.iter().map(|asset_id| asset_id.uuid()).collect()
}
