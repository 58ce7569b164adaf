//! `people_sums_v1`: how many faces somebody has and on how many assets, among those on the timeline.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;

/// What changed about a person's sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) faces: i64,
    pub(super) assets: i64,
}

/// Adds what changed. Who has no faces (any more) has no row, so that a rebuild gives the same rows.
pub(super) async fn add_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<Uuid, Delta>,
) -> Result<(), ProjectionError> {
    let changed: Vec<(&Uuid, &Delta)> =
        deltas.iter().filter(|(_, delta)| **delta != Delta::default()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let person_ids: Vec<Uuid> = changed.iter().map(|(person_id, _)| **person_id).collect();
    let faces: Vec<i64> = changed.iter().map(|(_, delta)| delta.faces).collect();
    let assets: Vec<i64> = changed.iter().map(|(_, delta)| delta.assets).collect();
    sqlx::query(
        "insert into people_sums_v1 as sums (person_id, faces, assets)
         select * from unnest($1::uuid[], $2::bigint[], $3::bigint[])
         on conflict (person_id)
         do update set faces = sums.faces + excluded.faces, assets = sums.assets + excluded.assets",
    )
    .bind(&person_ids)
    .bind(&faces)
    .bind(&assets)
    .execute(&mut *tx)
    .await?;
    if faces.iter().any(|delta| *delta < 0) {
        sqlx::query("delete from people_sums_v1 where faces = 0 and person_id = any($1)")
            .bind(&person_ids)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Counts some people's faces anew: those who were merged or deleted, which is rare.
pub(super) async fn count_again_in_tx(
    tx: &mut PgConnection,
    person_ids: &[Uuid],
) -> Result<(), ProjectionError> {
    sqlx::query("delete from people_sums_v1 where person_id = any($1)")
        .bind(person_ids)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "insert into people_sums_v1 (person_id, faces, assets)
         select person_id, count(*), count(distinct asset_id)
           from faces_v1
          where person_id = any($1) and is_shown
          group by person_id",
    )
    .bind(person_ids)
    .execute(tx)
    .await?;
    Ok(())
}
