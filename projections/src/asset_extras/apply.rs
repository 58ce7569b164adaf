//! Events of assets to rows of `duplicates_v1` and `asset_key_values_v1`: the last word of each key counts.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use calotype_domain::DuplicateId;
use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::KeyValueRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// Keeps `duplicates_v1` and `asset_key_values_v1`.
pub struct AssetExtrasProjection;

#[async_trait]
impl Projection for AssetExtrasProjection {
    fn name(&self) -> &'static str {
        "asset_extras"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["duplicates_v1", "asset_key_values_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let last = LastWords::of(events);
        last.duplicates_in_tx(tx).await?;
        last.key_values_in_tx(tx).await
    }
}

/// What a batch leaves behind.
#[derive(Default)]
struct LastWords {
    purged: BTreeSet<Uuid>,
    duplicates: BTreeMap<Uuid, Option<DuplicateId>>,
    key_values: BTreeMap<(Uuid, String), Option<KeyValueRow>>,
}

impl LastWords {
    fn of(events: &[&Event]) -> Self {
        let mut last = Self::default();
        for event in events {
            if let AnyEvent::Asset(what) = &event.what {
                last.take(event, what);
            }
        }
        last
    }

    fn take(&mut self, event: &Event, what: &AssetEvent) {
        let asset_id = event.key;
        match what {
            AssetEvent::DuplicatesFound(found) => {
                self.duplicates.insert(asset_id, Some(found.duplicate_id));
            }
            AssetEvent::DuplicatesDismissed(_) => {
                self.duplicates.insert(asset_id, None);
            }
            AssetEvent::KeyValueSet(set) => {
                let Some(entry) = set.entry.known() else { return };
                let row = KeyValueRow {
                    asset_id,
                    key: entry.key.clone(),
                    value: entry.value.clone().into(),
                    updated_at: event.recorded_at,
                };
                self.key_values.insert((asset_id, entry.key.clone()), Some(row));
            }
            AssetEvent::KeyValueRemoved(removed) => {
                let Some(key) = removed.key.known() else { return };
                self.key_values.insert((asset_id, key.clone()), None);
            }
            AssetEvent::Purged(_) => {
                self.purged.insert(asset_id);
                self.duplicates.insert(asset_id, None);
                self.key_values.retain(|(of, _), _| *of != asset_id);
            }
            _ => {}
        }
    }

    async fn duplicates_in_tx(&self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        let gone: Vec<Uuid> = self
            .duplicates
            .iter()
            .filter(|(_, group)| group.is_none())
            .map(|(asset_id, _)| *asset_id)
            .collect();
        if !gone.is_empty() {
            sqlx::query("delete from duplicates_v1 where asset_id = any($1)")
                .bind(&gone)
                .execute(&mut *tx)
                .await?;
        }
        let (asset_ids, groups): (Vec<Uuid>, Vec<Uuid>) = self
            .duplicates
            .iter()
            .filter_map(|(asset_id, group)| group.map(|group| (*asset_id, group.uuid())))
            .unzip();
        if !asset_ids.is_empty() {
            sqlx::query(
                "insert into duplicates_v1 (asset_id, duplicate_id)
                 select * from unnest($1::uuid[], $2::uuid[])
                 on conflict (asset_id) do update set duplicate_id = excluded.duplicate_id",
            )
            .bind(&asset_ids)
            .bind(&groups)
            .execute(tx)
            .await?;
        }
        Ok(())
    }

    async fn key_values_in_tx(&self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        if !self.purged.is_empty() {
            let purged: Vec<Uuid> = self.purged.iter().copied().collect();
            sqlx::query("delete from asset_key_values_v1 where asset_id = any($1)")
                .bind(&purged)
                .execute(&mut *tx)
                .await?;
        }
        let gone = self.key_values.iter().filter(|(_, row)| row.is_none());
        let (asset_ids, keys): (Vec<Uuid>, Vec<&str>) =
            gone.map(|((asset_id, key), _)| (*asset_id, key.as_str())).unzip();
        if !asset_ids.is_empty() {
            sqlx::query(
                "delete from asset_key_values_v1 as kept
                  using unnest($1::uuid[], $2::text[]) as gone (asset_id, key)
                  where kept.asset_id = gone.asset_id and kept.key = gone.key",
            )
            .bind(&asset_ids)
            .bind(&keys)
            .execute(&mut *tx)
            .await?;
        }
        let rows: Vec<&KeyValueRow> = self.key_values.values().flatten().collect();
        if rows.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_string(&rows)
            .map_err(|source| ProjectionError::Row { table: "asset_key_values_v1", source })?;
        sqlx::query(
            "insert into asset_key_values_v1
             select * from json_populate_recordset(null::asset_key_values_v1, $1::json)
             on conflict (asset_id, key)
             do update set value = excluded.value, updated_at = excluded.updated_at",
        )
        .bind(json)
        .execute(tx)
        .await?;
        Ok(())
    }
}
