//! Events of people, faces and assets to the tables of this model.
//!
//! Rows depend on what all three kinds of stream said, and not on how their events fell into batches:
//! people first (who is gone and who they are by now), then faces with the people they stand for.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use sqlx::PgConnection;

use super::{due, faces, persons};
use crate::error::ProjectionError;
use crate::event::{Event, purged_users};
use crate::projection::Projection;

/// Keeps the tables of people and faces.
pub struct PeopleProjection;

#[async_trait]
impl Projection for PeopleProjection {
    fn name(&self) -> &'static str {
        "people"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "people_v1",
            "people_names_v1",
            "people_gone_v1",
            "people_sums_v1",
            "people_due_v1",
            "faces_assets_v1",
            "faces_v1",
        ]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "faces", "person", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let own = |wanted: fn(&AnyEvent) -> bool| -> Vec<&Event> {
            events.iter().copied().filter(|event| wanted(&event.what)).collect()
        };
        let of_people = own(|what| matches!(what, AnyEvent::Person(_)));
        let of_photos = own(|what| matches!(what, AnyEvent::Asset(_) | AnyEvent::Faces(_)));
        let mut touched = persons::apply_in_tx(tx, &of_people).await?;
        touched.extend(faces::apply_in_tx(tx, &of_photos).await?);
        persons::forget_libraries_in_tx(tx, &purged_users(events)).await?;
        due::mark_in_tx(tx, &touched.into_iter().collect::<Vec<_>>()).await
    }
}
