//! Views of shared links to rows of `link_views_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::link_view::LinkViewEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::LinkViewRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `link_views_v1`.
pub struct LinkViewsProjection;

#[async_trait]
impl Projection for LinkViewsProjection {
    fn name(&self) -> &'static str {
        "link_views"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["link_views_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["link_view"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_in_tx::<LinkViews>(tx, events).await.map(drop)
    }
}

struct LinkViews;

impl Fold for LinkViews {
    fold_sql!("link_views_v1", "link_view_id");
    type Row = LinkViewRow;

    fn key(row: &LinkViewRow) -> Uuid {
        row.link_view_id
    }

    fn revision(row: &LinkViewRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<LinkViewRow>, event: &Event) -> Option<LinkViewRow> {
        let AnyEvent::LinkView(LinkViewEvent::Viewed(viewed)) = &event.what else { return row };
        let visitor = viewed.visitor.known();
        Some(LinkViewRow {
            link_view_id: event.key,
            revision: event.revision,
            shared_link_id: viewed.shared_link_id.uuid(),
            hour: viewed.hour,
            viewed_at: event.recorded_at,
            address: visitor.and_then(|visitor| visitor.address.clone()),
            device_type: visitor.map(|visitor| visitor.device_type.clone()).unwrap_or_default(),
            device_os: visitor.map(|visitor| visitor.device_os.clone()).unwrap_or_default(),
        })
    }
}
