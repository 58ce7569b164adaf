//! The map's sheets: for each month how many located assets it holds, and a digest of what is told of them.
//!
//! The digest is the exclusive or of the digests of the rows, so that it follows from the rows alone,
//! however the events came in batches, and a reader sees which months have changed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::SearchRow;
use crate::error::ProjectionError;
use crate::fold::Change;

/// Keeps `map_sheets_v1`.
pub(super) async fn keep_in_tx(
    tx: &mut PgConnection,
    changes: &[Change<SearchRow>],
) -> Result<(), ProjectionError> {
    let mut deltas: BTreeMap<(Uuid, NaiveDate), (i64, i64)> = BTreeMap::new();
    for change in changes {
        for (row, by) in [(&change.before, -1), (&change.after, 1)] {
            let Some(row) = row else { continue };
            let Some(digest) = digest(row) else { continue };
            let delta = deltas.entry((row.owner_id, row.month)).or_default();
            delta.0 += by;
            delta.1 ^= digest;
        }
    }
    deltas.retain(|_, delta| *delta != (0, 0));
    if deltas.is_empty() {
        return Ok(());
    }
    let owners: Vec<Uuid> = deltas.keys().map(|key| key.0).collect();
    let months: Vec<NaiveDate> = deltas.keys().map(|key| key.1).collect();
    let counts: Vec<i64> = deltas.values().map(|delta| delta.0).collect();
    let digests: Vec<i64> = deltas.values().map(|delta| delta.1).collect();
    sqlx::query(
        "insert into map_sheets_v1 as kept (owner_id, month, count, digest)
         select * from unnest($1::uuid[], $2::date[], $3::bigint[], $4::bigint[])
         on conflict (owner_id, month)
         do update set count = kept.count + excluded.count, digest = kept.digest # excluded.digest",
    )
    .bind(&owners)
    .bind(&months)
    .bind(&counts)
    .bind(&digests)
    .execute(&mut *tx)
    .await?;
    if counts.iter().any(|count| *count < 0) {
        sqlx::query("delete from map_sheets_v1 where count = 0 and owner_id = any($1)")
            .bind(&owners)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// A digest of what the map tells of an asset and chooses it by; none when no map shows it.
fn digest(row: &SearchRow) -> Option<i64> {
    let (latitude, longitude) = row.shown_position()?;
    let mut hasher = Sha256::new();
    hasher.update(row.asset_id.as_bytes());
    hasher.update(latitude.to_le_bytes());
    hasher.update(longitude.to_le_bytes());
    hasher.update(row.taken_at.timestamp_micros().to_le_bytes());
    hasher.update([u8::from(row.is_favorite), u8::from(row.visibility == "archive")]);
    for word in [&row.city, &row.state, &row.country] {
        hasher.update(word.as_deref().unwrap_or_default());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    Some(i64::from_le_bytes(digest.get(..8)?.try_into().ok()?))
}
