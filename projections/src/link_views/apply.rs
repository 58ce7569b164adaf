//! Views of shared links to rows of `link_views_v3`, which stay when the link has ended: who saw what was shared
//! is asked most of all then. They go with the account of who made the link.
//!
//! A rebuild after an account was purged reads its links' visitors without the key. The rows are the same
//! either way, because nothing is kept of an account that is gone.

use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;

use super::batch::Batch;
use super::view::LinkViewRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// Keeps `viewed_links_v3` and `link_views_v3`.
pub struct LinkViewsProjection;

#[async_trait]
impl Projection for LinkViewsProjection {
    fn name(&self) -> &'static str {
        "link_views"
    }

    fn version(&self) -> u16 {
        3
    }

    fn tables(&self) -> &'static [&'static str] {
        &["viewed_links_v3", "link_views_v3"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["link_view", "shared_link", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let batch = Batch::of(events);
        forget_owners_in_tx(tx, &batch).await?;
        begin_links_in_tx(tx, &batch).await?;
        add_views_in_tx(tx, &batch.views).await
    }
}

/// Takes away what was there of the links of accounts that are gone.
async fn forget_owners_in_tx(tx: &mut PgConnection, batch: &Batch) -> Result<(), ProjectionError> {
    let purged: Vec<Uuid> = batch.purged.iter().copied().collect();
    if purged.is_empty() {
        return Ok(());
    }
    for delete in [
        "delete from viewed_links_v3 where owner_id = any($1)",
        "delete from link_views_v3 where owner_id = any($1)",
    ] {
        sqlx::query(delete).bind(&purged).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn begin_links_in_tx(tx: &mut PgConnection, batch: &Batch) -> Result<(), ProjectionError> {
    if batch.links.is_empty() {
        return Ok(());
    }
    let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = batch.links.iter().unzip();
    sqlx::query(
        "insert into viewed_links_v3 (shared_link_id, owner_id)
         select * from unnest($1::uuid[], $2::uuid[])
         on conflict do nothing",
    )
    .bind(&ids)
    .bind(&owners)
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds views of links whose makers are there; the owner is the link's.
async fn add_views_in_tx(
    tx: &mut PgConnection,
    views: &[LinkViewRow],
) -> Result<(), ProjectionError> {
    if views.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_value(views)
        .map_err(|source| ProjectionError::Row { table: "link_views_v3", source })?;
    sqlx::query(
        "insert into link_views_v3
                (link_view_id, shared_link_id, owner_id, hour, viewed_at, address, device_type, device_os)
         select link_view_id, shared_link_id, link.owner_id, hour, viewed_at, address, device_type, device_os
           from jsonb_populate_recordset(null::link_views_v3, $1) as seen
           join viewed_links_v3 as link using (shared_link_id)
         on conflict do nothing",
    )
    .bind(rows)
    .execute(tx)
    .await?;
    Ok(())
}
