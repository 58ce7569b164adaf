//! Events of assets to `heatmap_v1`, with what each asset counts for in `heatmap_assets_v1`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, Visibility};
use calotype_domain::catalogue::AnyEvent;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::query::HeatmapKind;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `heatmap_v1` and `heatmap_assets_v1`.
pub struct HeatmapProjection;

#[async_trait]
impl Projection for HeatmapProjection {
    fn name(&self) -> &'static str {
        "heatmap"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["heatmap_v1", "heatmap_assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut deltas: BTreeMap<(Uuid, HeatmapKind, NaiveDate), i64> = BTreeMap::new();
        for change in fold_in_tx::<Days>(tx, events).await? {
            for (row, delta) in [(&change.before, -1), (&change.after, 1)] {
                let Some(row) = row.as_ref().filter(|row| row.is_visible && !row.is_trashed) else {
                    continue;
                };
                let days =
                    [(HeatmapKind::Upload, row.uploaded_on), (HeatmapKind::Taken, row.taken_on)];
                for (kind, day) in days {
                    *deltas.entry((row.owner_id, kind, day)).or_default() += delta;
                }
            }
        }
        deltas.retain(|_, delta| *delta != 0);
        add_in_tx(tx, &deltas).await
    }
}

async fn add_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<(Uuid, HeatmapKind, NaiveDate), i64>,
) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let owner_ids: Vec<Uuid> = deltas.keys().map(|(owner_id, ..)| *owner_id).collect();
    let kinds: Vec<&str> = deltas.keys().map(|(_, kind, _)| kind.as_str()).collect();
    let days: Vec<NaiveDate> = deltas.keys().map(|(.., day)| *day).collect();
    let counts: Vec<i64> = deltas.values().copied().collect();
    sqlx::query(
        "insert into heatmap_v1 as sums (owner_id, kind, day, count)
         select * from unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[])
         on conflict (owner_id, kind, day) do update set count = sums.count + excluded.count",
    )
    .bind(&owner_ids)
    .bind(&kinds)
    .bind(&days)
    .bind(&counts)
    .execute(&mut *tx)
    .await?;
    if counts.iter().any(|count| *count < 0) {
        sqlx::query("delete from heatmap_v1 where count = 0 and owner_id = any($1)")
            .bind(&owner_ids)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// What one asset counts for: nothing while it is in the trash, hidden or locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct DayRow {
    asset_id: Uuid,
    revision: i64,
    owner_id: Uuid,
    uploaded_on: NaiveDate,
    taken_on: NaiveDate,
    date_by_person: bool,
    is_visible: bool,
    is_trashed: bool,
}

struct Days;

impl Fold for Days {
    fold_sql!("heatmap_assets_v1", "asset_id");
    type Row = DayRow;

    fn key(row: &DayRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &DayRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<DayRow>, event: &Event) -> Option<DayRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                return Some(DayRow {
                    asset_id: event.key,
                    revision: event.revision,
                    owner_id: uploaded.owner_id.uuid(),
                    uploaded_on: event.recorded_at.date_naive(),
                    taken_on: uploaded.file_created_at.date_naive(),
                    date_by_person: false,
                    is_visible: counts(uploaded.visibility),
                    is_trashed: false,
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::MetadataRecorded(_) if row.date_by_person => return Some(row),
            AssetEvent::MetadataRecorded(facts) => row.taken_on = facts.local_date_time.date(),
            AssetEvent::DateChanged(changed) => {
                row.taken_on = changed.local_date_time.date();
                row.date_by_person = true;
            }
            AssetEvent::VisibilityChanged(changed) => row.is_visible = counts(changed.visibility),
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::Purged(_) => return None,
            _ => return Some(row),
        }
        row.revision = event.revision;
        Some(row)
    }
}

const fn counts(visibility: Visibility) -> bool {
    matches!(visibility, Visibility::Timeline | Visibility::Archive)
}
