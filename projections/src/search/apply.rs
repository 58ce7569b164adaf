//! Events of assets to `search_v1`, and with them the lists and the map's sheets that follow from its rows.

use async_trait::async_trait;
use sqlx::PgConnection;

use super::row::SearchFold;
use super::{sheets, tally};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::fold_in_tx;
use crate::projection::Projection;

/// Keeps `search_v1`, `search_places_v1`, `search_cameras_v1` and `map_sheets_v1`.
pub struct SearchProjection;

#[async_trait]
impl Projection for SearchProjection {
    fn name(&self) -> &'static str {
        "search"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["search_v1", "search_places_v1", "search_cameras_v1", "map_sheets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let changes = fold_in_tx::<SearchFold>(tx, events).await?;
        tally::places_in_tx(tx, &changes).await?;
        tally::cameras_in_tx(tx, &changes).await?;
        sheets::keep_in_tx(tx, &changes).await
    }
}
