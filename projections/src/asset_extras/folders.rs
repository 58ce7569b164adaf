//! Events of assets to the folders their originals lie in, with counts that are kept.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, Visibility};
use calotype_domain::catalogue::AnyEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `folder_assets_v1` and `folders_v1`.
pub struct FoldersProjection;

#[async_trait]
impl Projection for FoldersProjection {
    fn name(&self) -> &'static str {
        "folders"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["folder_assets_v1", "folders_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut deltas: BTreeMap<(Uuid, String), i64> = BTreeMap::new();
        for change in fold_in_tx::<Folders>(tx, events).await? {
            for (row, delta) in [(change.before, -1), (change.after, 1)] {
                if let Some(row) = row.filter(FolderRow::counts) {
                    *deltas.entry((row.owner_id, row.folder)).or_default() += delta;
                }
            }
        }
        deltas.retain(|_, delta| *delta != 0);
        count_in_tx(tx, &deltas).await
    }
}

/// The folder of one original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct FolderRow {
    asset_id: Uuid,
    revision: i64,
    owner_id: Uuid,
    folder: String,
    is_shown: bool,
    visibility: String,
    is_trashed: bool,
}

impl FolderRow {
    fn counts(&self) -> bool {
        self.is_shown
    }

    /// A file of a library lies where it lies.
    fn lie_at(&mut self, path: Option<&String>) {
        if let Some((folder, _)) = path.and_then(|path| path.rsplit_once('/')) {
            folder.clone_into(&mut self.folder);
        }
    }

    fn settle(mut self) -> Self {
        self.is_shown = !self.is_trashed && self.visibility == Visibility::Timeline.as_str();
        self
    }
}

async fn count_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<(Uuid, String), i64>,
) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let owner_ids: Vec<Uuid> = deltas.keys().map(|(owner_id, _)| *owner_id).collect();
    let folders: Vec<&str> = deltas.keys().map(|(_, folder)| folder.as_str()).collect();
    let counts: Vec<i64> = deltas.values().copied().collect();
    sqlx::query(
        "insert into folders_v1 as kept (owner_id, folder, count)
         select * from unnest($1::uuid[], $2::text[], $3::bigint[])
         on conflict (owner_id, folder) do update set count = kept.count + excluded.count",
    )
    .bind(&owner_ids)
    .bind(&folders)
    .bind(&counts)
    .execute(&mut *tx)
    .await?;
    // An empty folder is not listed; its row goes, so that a rebuild gives the same rows.
    sqlx::query(
        "delete from folders_v1 where count = 0 and owner_id = any($1) and folder = any($2)",
    )
    .bind(&owner_ids)
    .bind(&folders)
    .execute(tx)
    .await?;
    Ok(())
}

struct Folders;

impl Fold for Folders {
    fold_sql!("folder_assets_v1", "asset_id");
    type Row = FolderRow;

    fn key(row: &FolderRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &FolderRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<FolderRow>, event: &Event) -> Option<FolderRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                let row = FolderRow {
                    asset_id: event.key,
                    revision: event.revision,
                    owner_id: uploaded.owner_id.uuid(),
                    folder: folder(&uploaded.original.key),
                    is_shown: true,
                    visibility: uploaded.visibility.as_str().to_owned(),
                    is_trashed: false,
                };
                return Some(row.settle());
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::OriginalMoved(moved) => match moved.place.known() {
                Some(place) => row.folder = folder(&place.original_key),
                None => return Some(row),
            },
            AssetEvent::Purged(_) => return None,
            AssetEvent::Imported(imported) => row.lie_at(imported.path.known()),
            AssetEvent::Relocated(relocated) => row.lie_at(relocated.path.known()),
            // Nothing else moves an original; its row need not be written again.
            _ => return Some(row),
        }
        row.revision = event.revision;
        Some(row.settle())
    }
}

/// The folder that an original lies in, as clients are shown its path.
fn folder(key: &str) -> String {
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("/data/{folder}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_the_shown_path_without_the_file() {
        assert_eq!(folder("library/u/5a/fa/f.jpg"), "/data/library/u/5a/fa");
    }
}
