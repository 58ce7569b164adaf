//! Events of assets to rows of `sidecars_v1`. Only assets whose sidecar is behind have a row.

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, belongs_into_sidecar};
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `sidecars_v1`.
pub struct SidecarsProjection;

#[async_trait]
impl Projection for SidecarsProjection {
    fn name(&self) -> &'static str {
        "sidecars"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sidecars_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Behind>(tx, events, concerns).await.map(drop)
    }
}

fn concerns(event: &Event) -> bool {
    let AnyEvent::Asset(what) = &event.what else { return false };
    let ends = matches!(
        what,
        AssetEvent::SidecarWritten(_) | AssetEvent::SidecarRefused(_) | AssetEvent::Purged(_)
    );
    ends || belongs_into_sidecar(what)
}

/// An asset whose sidecar is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct BehindRow {
    asset_id: Uuid,
    revision: i64,
    behind_since: DateTime<Utc>,
}

struct Behind;

impl Fold for Behind {
    fold_sql!("sidecars_v1", "asset_id");
    type Row = BehindRow;

    fn key(row: &BehindRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &BehindRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<BehindRow>, event: &Event) -> Option<BehindRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        if !belongs_into_sidecar(what) {
            return None;
        }
        let behind_since = row.map_or(event.recorded_at, |row| row.behind_since);
        Some(BehindRow { asset_id: event.key, revision: event.revision, behind_since })
    }
}
