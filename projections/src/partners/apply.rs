//! Events of partners to rows of `partners_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::partner::PartnerEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::PartnerRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `partners_v1`.
pub struct PartnersProjection;

#[async_trait]
impl Projection for PartnersProjection {
    fn name(&self) -> &'static str {
        "partners"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["partners_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["partner"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_in_tx::<Partners>(tx, events).await.map(drop)
    }
}

/// Rows of `partners_v1`.
pub(crate) struct Partners;

impl Fold for Partners {
    fold_sql!("partners_v1", "partner_id");
    type Row = PartnerRow;

    fn key(row: &PartnerRow) -> Uuid {
        row.partner_id
    }

    fn revision(row: &PartnerRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<PartnerRow>, event: &Event) -> Option<PartnerRow> {
        let AnyEvent::Partner(what) = &event.what else { return row };
        match what {
            PartnerEvent::Added(added) => Some(PartnerRow {
                partner_id: event.key,
                revision: event.revision,
                shared_by_id: added.shared_by_id.uuid(),
                shared_with_id: added.shared_with_id.uuid(),
                in_timeline: false,
                created_at: event.recorded_at,
                updated_at: event.recorded_at,
            }),
            PartnerEvent::Restored(restored) => Some(PartnerRow {
                partner_id: event.key,
                revision: event.revision,
                shared_by_id: restored.shared_by_id.uuid(),
                shared_with_id: restored.shared_with_id.uuid(),
                in_timeline: restored.in_timeline,
                created_at: event.recorded_at,
                updated_at: event.recorded_at,
            }),
            PartnerEvent::TimelineChanged(changed) => row.map(|row| PartnerRow {
                revision: event.revision,
                in_timeline: changed.in_timeline,
                updated_at: event.recorded_at,
                ..row
            }),
            PartnerEvent::Removed(_) => None,
        }
    }
}
