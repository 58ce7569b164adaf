//! Places and cameras on each timeline, counted as rows change, so that lists of them need no look at assets.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::row::SearchRow;
use crate::error::ProjectionError;
use crate::fold::Change;

/// Owner and three words; an empty word stands for none.
type Key = (Uuid, String, String, String);

/// Keeps `search_places_v1`.
pub(super) async fn places_in_tx(
    tx: &mut PgConnection,
    changes: &[Change<SearchRow>],
) -> Result<(), ProjectionError> {
    let deltas = deltas(changes, |row| {
        row.country.as_ref().or(row.state.as_ref()).or(row.city.as_ref())?;
        Some(key(row.owner_id, [&row.country, &row.state, &row.city]))
    });
    if deltas.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(&deltas);
    sqlx::query(
        "insert into search_places_v1 as kept (owner_id, country, state, city, count, images)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
         on conflict (owner_id, country, state, city)
         do update set count = kept.count + excluded.count, images = kept.images + excluded.images",
    )
    .bind(&columns.owners)
    .bind(&columns.first)
    .bind(&columns.second)
    .bind(&columns.third)
    .bind(&columns.counts)
    .bind(&columns.images)
    .execute(&mut *tx)
    .await?;
    if columns.has_losses() {
        sqlx::query("delete from search_places_v1 where count = 0 and owner_id = any($1)")
            .bind(&columns.owners)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Keeps `search_cameras_v1`.
pub(super) async fn cameras_in_tx(
    tx: &mut PgConnection,
    changes: &[Change<SearchRow>],
) -> Result<(), ProjectionError> {
    let deltas = deltas(changes, |row| {
        row.make.as_ref().or(row.model.as_ref()).or(row.lens_model.as_ref())?;
        Some(key(row.owner_id, [&row.make, &row.model, &row.lens_model]))
    });
    if deltas.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(&deltas);
    sqlx::query(
        "insert into search_cameras_v1 as kept (owner_id, make, model, lens_model, count)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[])
         on conflict (owner_id, make, model, lens_model)
         do update set count = kept.count + excluded.count",
    )
    .bind(&columns.owners)
    .bind(&columns.first)
    .bind(&columns.second)
    .bind(&columns.third)
    .bind(&columns.counts)
    .execute(&mut *tx)
    .await?;
    if columns.has_losses() {
        sqlx::query("delete from search_cameras_v1 where count = 0 and owner_id = any($1)")
            .bind(&columns.owners)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// How many assets, and how many of them pictures, each key gained or lost.
fn deltas(
    changes: &[Change<SearchRow>],
    key: impl Fn(&SearchRow) -> Option<Key>,
) -> BTreeMap<Key, (i64, i64)> {
    let mut deltas: BTreeMap<Key, (i64, i64)> = BTreeMap::new();
    for change in changes {
        for (row, by) in [(&change.before, -1), (&change.after, 1)] {
            let Some(row) = row.as_ref().filter(|row| row.is_on_timeline()) else { continue };
            let Some(key) = key(row) else { continue };
            let delta = deltas.entry(key).or_default();
            delta.0 += by;
            delta.1 += if row.is_video { 0 } else { by };
        }
    }
    deltas.retain(|_, delta| *delta != (0, 0));
    deltas
}

fn key(owner_id: Uuid, words: [&Option<String>; 3]) -> Key {
    let [first, second, third] = words.map(|word| word.clone().unwrap_or_default());
    (owner_id, first, second, third)
}

/// The deltas as a statement takes them.
struct Columns<'a> {
    owners: Vec<Uuid>,
    first: Vec<&'a str>,
    second: Vec<&'a str>,
    third: Vec<&'a str>,
    counts: Vec<i64>,
    images: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(deltas: &'a BTreeMap<Key, (i64, i64)>) -> Self {
        Self {
            owners: deltas.keys().map(|key| key.0).collect(),
            first: deltas.keys().map(|key| key.1.as_str()).collect(),
            second: deltas.keys().map(|key| key.2.as_str()).collect(),
            third: deltas.keys().map(|key| key.3.as_str()).collect(),
            counts: deltas.values().map(|delta| delta.0).collect(),
            images: deltas.values().map(|delta| delta.1).collect(),
        }
    }

    fn has_losses(&self) -> bool {
        self.counts.iter().any(|count| *count < 0)
    }
}
