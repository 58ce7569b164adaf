//! Count, dates, cover and contributors of the albums that a batch touched.
//!
//! They are a function of the rows alone, so a rebuild gives the same however its batches are cut.
//! Each costs one look over the album's own rows: a few milliseconds for ten thousand assets.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;

/// Keeps what is kept about the touched albums; an album that is gone keeps nothing.
pub(super) async fn keep_in_tx(
    tx: &mut PgConnection,
    touched: &BTreeSet<Uuid>,
) -> Result<(), ProjectionError> {
    if touched.is_empty() {
        return Ok(());
    }
    let album_ids: Vec<Uuid> = touched.iter().copied().collect();
    for statement in [
        "delete from albums_kept_v1 where album_id = any($1)",
        "delete from album_contributors_v1 where album_id = any($1)",
        "insert into albums_kept_v1
                (album_id, asset_count, start_at, end_at, assets_changed_at, cover_id)
         select albums.album_id, counted.asset_count, counted.start_at, counted.end_at,
                counted.changed_at, coalesce(chosen.asset_id, first.asset_id)
           from albums_v1 as albums
          cross join lateral (
                select count(*) as asset_count, min(local_date_time) as start_at,
                       max(local_date_time) as end_at, max(changed_at) as changed_at
                  from album_assets_v1 as inside
                 where inside.album_id = albums.album_id and inside.shows
          ) as counted
           left join album_assets_v1 as chosen
             on chosen.album_id = albums.album_id and chosen.asset_id = albums.chosen_cover_id
            and chosen.shows
           left join lateral (
                select asset_id
                  from album_assets_v1 as inside
                 where inside.album_id = albums.album_id and inside.shows
                 order by place
                 limit 1
          ) as first on true
          where albums.album_id = any($1)",
        "insert into album_contributors_v1 (album_id, user_id, asset_count)
         select album_id, owner_id, count(*) filter (where shows)
           from album_assets_v1
          where album_id = any($1)
          group by album_id, owner_id",
    ] {
        sqlx::query(statement).bind(&album_ids).execute(&mut *tx).await?;
    }
    Ok(())
}
