//! Events of accounts to rows of `pins_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::UserEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::PinRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `pins_v1`.
pub struct PinsProjection;

#[async_trait]
impl Projection for PinsProjection {
    fn name(&self) -> &'static str {
        "pins"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["pins_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let about_pins: Vec<&Event> = events
            .iter()
            .copied()
            .filter(|event| {
                matches!(
                    event.what,
                    AnyEvent::User(
                        UserEvent::PinSet(_) | UserEvent::PinRemoved(_) | UserEvent::Purged(_)
                    )
                )
            })
            .collect();
        fold_in_tx::<Pins>(tx, &about_pins).await.map(drop)
    }
}

struct Pins;

impl Fold for Pins {
    fold_sql!("pins_v1", "user_id");
    type Row = PinRow;

    fn key(row: &PinRow) -> Uuid {
        row.user_id
    }

    fn revision(row: &PinRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<PinRow>, event: &Event) -> Option<PinRow> {
        let AnyEvent::User(what) = &event.what else { return row };
        let pin_hash = match what {
            UserEvent::PinSet(set) => set.pin_hash.known().cloned(),
            UserEvent::PinRemoved(_) => None,
            UserEvent::Purged(_) => return None,
            _ => return row,
        };
        Some(PinRow { user_id: event.key, revision: event.revision, pin_hash })
    }
}
