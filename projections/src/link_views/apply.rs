//! Views of shared links to rows of `link_views_v2`, which go with their link.
//!
//! A rebuild after an account was purged reads its links' visitors without the key. The rows are the same
//! either way, because nothing is kept of a link that ended.

use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;

use super::batch::Batch;
use super::view::LinkViewRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// Keeps `viewed_links_v2` and `link_views_v2`.
pub struct LinkViewsProjection;

#[async_trait]
impl Projection for LinkViewsProjection {
    fn name(&self) -> &'static str {
        "link_views"
    }

    fn version(&self) -> u16 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["viewed_links_v2", "link_views_v2"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["link_view", "shared_link", "album", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let batch = Batch::of(events);
        end_links_in_tx(tx, &batch).await?;
        begin_links_in_tx(tx, &batch).await?;
        add_views_in_tx(tx, &batch.views).await
    }
}

/// Takes away what was there of links that ended.
async fn end_links_in_tx(tx: &mut PgConnection, batch: &Batch) -> Result<(), ProjectionError> {
    let ended: Vec<Uuid> = batch.ended.iter().copied().collect();
    if ended.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with gone as (
             delete from viewed_links_v2
              where shared_link_id = any($1) or owner_id = any($1) or album_id = any($1)
             returning shared_link_id
         )
         delete from link_views_v2 where shared_link_id in (select shared_link_id from gone)",
    )
    .bind(&ended)
    .execute(tx)
    .await?;
    Ok(())
}

async fn begin_links_in_tx(tx: &mut PgConnection, batch: &Batch) -> Result<(), ProjectionError> {
    if batch.links.is_empty() {
        return Ok(());
    }
    let (mut ids, mut owners, mut albums) = (Vec::new(), Vec::new(), Vec::new());
    for (id, link) in &batch.links {
        ids.push(*id);
        owners.push(link.owner_id);
        albums.push(link.album_id);
    }
    sqlx::query(
        "insert into viewed_links_v2 (shared_link_id, owner_id, album_id)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[])
         on conflict do nothing",
    )
    .bind(&ids)
    .bind(&owners)
    .bind(&albums)
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds views of links that did not end; the owner is the link's.
async fn add_views_in_tx(
    tx: &mut PgConnection,
    views: &[LinkViewRow],
) -> Result<(), ProjectionError> {
    if views.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_value(views)
        .map_err(|source| ProjectionError::Row { table: "link_views_v2", source })?;
    sqlx::query(
        "insert into link_views_v2
                (link_view_id, shared_link_id, owner_id, hour, viewed_at, address, device_type, device_os)
         select link_view_id, shared_link_id, link.owner_id, hour, viewed_at, address, device_type, device_os
           from jsonb_populate_recordset(null::link_views_v2, $1) as seen
           join viewed_links_v2 as link using (shared_link_id)
         on conflict do nothing",
    )
    .bind(rows)
    .execute(tx)
    .await?;
    Ok(())
}
