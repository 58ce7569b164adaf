//! Events of assets to rows of `timeline_v2`, and to the counts of `timeline_counts_v2` and
//! `timeline_stacks_v2`.
//!
//! Counts are kept as rows change, never counted at read time.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::asset::{AssetEvent, MediaKind, Position};
use calotype_domain::catalogue::AnyEvent;
use chrono::{Datelike, NaiveDate, NaiveDateTime};
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::TimelineRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `timeline_v2`, `timeline_counts_v2` and `timeline_stacks_v2`.
pub struct TimelineProjection;

#[async_trait]
impl Projection for TimelineProjection {
    fn name(&self) -> &'static str {
        "timeline"
    }

    fn version(&self) -> u16 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["timeline_v2", "timeline_counts_v2", "timeline_stacks_v2"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let changes = fold_in_tx::<Timeline>(tx, events).await?;
        let mut deltas: BTreeMap<CountKey, i64> = BTreeMap::new();
        let mut stacks: BTreeMap<Uuid, i64> = BTreeMap::new();
        for change in &changes {
            for (row, delta) in [(&change.before, -1), (&change.after, 1)] {
                let Some(row) = row else { continue };
                *deltas.entry(CountKey::of(row)).or_default() += delta;
                if let Some(stack_id) = row.stack_id.filter(|_| !row.is_trashed) {
                    *stacks.entry(stack_id).or_default() += delta;
                }
            }
        }
        deltas.retain(|_, delta| *delta != 0);
        stacks.retain(|_, delta| *delta != 0);
        count_in_tx(tx, &deltas).await?;
        count_stacks_in_tx(tx, &stacks).await
    }
}

/// What the counts are kept by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CountKey {
    owner_id: Uuid,
    visibility: String,
    is_favorite: bool,
    is_trashed: bool,
    is_under: bool,
    month: NaiveDate,
}

impl CountKey {
    fn of(row: &TimelineRow) -> Self {
        Self {
            owner_id: row.owner_id,
            visibility: row.visibility.clone(),
            is_favorite: row.is_favorite,
            is_trashed: row.is_trashed,
            is_under: row.is_under,
            month: row.month,
        }
    }
}

async fn count_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<CountKey, i64>,
) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let owner_ids: Vec<Uuid> = deltas.keys().map(|key| key.owner_id).collect();
    let visibilities: Vec<&str> = deltas.keys().map(|key| key.visibility.as_str()).collect();
    let favorites: Vec<bool> = deltas.keys().map(|key| key.is_favorite).collect();
    let trashed: Vec<bool> = deltas.keys().map(|key| key.is_trashed).collect();
    let under: Vec<bool> = deltas.keys().map(|key| key.is_under).collect();
    let months: Vec<NaiveDate> = deltas.keys().map(|key| key.month).collect();
    let counts: Vec<i64> = deltas.values().copied().collect();
    sqlx::query(
        "insert into timeline_counts_v2 as counts
                (owner_id, visibility, is_favorite, is_trashed, is_under, month, count)
         select * from unnest($1::uuid[], $2::text[], $3::bool[], $4::bool[], $5::bool[], $6::date[],
                              $7::bigint[])
         on conflict (owner_id, visibility, is_favorite, is_trashed, is_under, month)
         do update set count = counts.count + excluded.count",
    )
    .bind(&owner_ids)
    .bind(&visibilities)
    .bind(&favorites)
    .bind(&trashed)
    .bind(&under)
    .bind(&months)
    .bind(&counts)
    .execute(&mut *tx)
    .await?;
    // A month that emptied is not listed; its row goes, so that a rebuild gives the same rows.
    if counts.iter().any(|count| *count < 0) {
        sqlx::query("delete from timeline_counts_v2 where count = 0 and owner_id = any($1)")
            .bind(&owner_ids)
            .execute(tx)
            .await?;
    }
    Ok(())
}

async fn count_stacks_in_tx(
    tx: &mut PgConnection,
    deltas: &BTreeMap<Uuid, i64>,
) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let stack_ids: Vec<Uuid> = deltas.keys().copied().collect();
    let counts: Vec<i64> = deltas.values().copied().collect();
    sqlx::query(
        "insert into timeline_stacks_v2 as stacks (stack_id, count)
         select * from unnest($1::uuid[], $2::bigint[])
         on conflict (stack_id) do update set count = stacks.count + excluded.count",
    )
    .bind(&stack_ids)
    .bind(&counts)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from timeline_stacks_v2 where count = 0 and stack_id = any($1)")
        .bind(&stack_ids)
        .execute(tx)
        .await?;
    Ok(())
}

/// Rows of `timeline_v2`.
pub(crate) struct Timeline;

impl Fold for Timeline {
    fold_sql!("timeline_v2", "asset_id");
    type Row = TimelineRow;

    fn key(row: &TimelineRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &TimelineRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<TimelineRow>, event: &Event) -> Option<TimelineRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                let local = uploaded.file_created_at.naive_utc();
                TimelineRow {
                    asset_id: event.key,
                    revision: event.revision,
                    owner_id: uploaded.owner_id.uuid(),
                    month: month(local),
                    created_month: month(event.recorded_at.naive_utc()),
                    local_date_time: local,
                    taken_at: uploaded.file_created_at,
                    created_at: event.recorded_at,
                    visibility: uploaded.visibility.as_str().to_owned(),
                    is_favorite: uploaded.is_favorite,
                    is_trashed: false,
                    is_video: uploaded.kind == MediaKind::Video,
                    date_by_person: false,
                    duration_ms: uploaded
                        .duration_ms
                        .map(|duration_ms| i64::try_from(duration_ms).unwrap_or(i64::MAX)),
                    live_photo_video_id: uploaded.live_photo_video_id.map(AssetId::uuid),
                    projection_type: None,
                    ratio: 1.0,
                    thumbhash: None,
                    edited_ratio: None,
                    edited_thumbhash: None,
                    latitude: None,
                    longitude: None,
                    position_by_person: false,
                    city: None,
                    country: None,
                    stack_id: None,
                    is_under: false,
                }
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        match what {
            AssetEvent::MetadataRecorded(facts) => {
                if !row.date_by_person {
                    row.taken_at = facts.taken_at;
                    row.local_date_time = facts.local_date_time;
                    row.month = month(facts.local_date_time);
                }
                if !row.position_by_person {
                    let personal = facts.personal.known();
                    set_position(&mut row, personal.and_then(|it| it.position.as_ref()));
                }
                if let Some(duration_ms) = facts.duration_ms {
                    row.duration_ms = Some(i64::try_from(duration_ms).unwrap_or(i64::MAX));
                }
                row.projection_type.clone_from(&facts.projection_type);
            }
            AssetEvent::ThumbnailsRecorded(made) => {
                row.thumbhash = Some(made.thumbhash.clone());
                row.ratio = ratio(made.display_width, made.display_height);
            }
            AssetEvent::EditedPicturesRecorded(made) => {
                row.edited_thumbhash = Some(made.thumbhash.clone());
                row.edited_ratio = Some(ratio(made.full_size.width, made.full_size.height));
            }
            AssetEvent::EditsRemoved(_) => {
                row.edited_thumbhash = None;
                row.edited_ratio = None;
            }
            AssetEvent::Favorited(_) => row.is_favorite = true,
            AssetEvent::Unfavorited(_) => row.is_favorite = false,
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::DateChanged(changed) => {
                row.taken_at = changed.taken_at;
                row.local_date_time = changed.local_date_time;
                row.month = month(changed.local_date_time);
                row.date_by_person = true;
            }
            AssetEvent::DateReverted(reverted) => {
                row.taken_at = reverted.taken_at;
                row.local_date_time = reverted.local_date_time;
                row.month = month(reverted.local_date_time);
                row.date_by_person = false;
            }
            AssetEvent::LocationReverted(reverted) => {
                set_position(&mut row, reverted.position.known().and_then(Option::as_ref));
                row.position_by_person = false;
            }
            AssetEvent::Stacked(stacked) => {
                row.stack_id = Some(stacked.stack_id.uuid());
                row.is_under = !stacked.is_primary;
            }
            AssetEvent::Unstacked(_) => {
                row.stack_id = None;
                row.is_under = false;
            }
            AssetEvent::LocationChanged(changed) => {
                set_position(&mut row, changed.position.known());
                row.position_by_person = true;
            }
            AssetEvent::PlaceFound(found) => {
                let place = found.place.known();
                row.city = place.and_then(|place| place.city.clone());
                row.country = place.and_then(|place| place.country.clone());
            }
            AssetEvent::FilmLinked(linked) => row.live_photo_video_id = Some(linked.film_id.uuid()),
            AssetEvent::FilmUnlinked(_) => row.live_photo_video_id = None,
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::Purged(_) => return None,
            AssetEvent::Uploaded(_)
            | AssetEvent::CameOnline(_)
            | AssetEvent::FileChanged(_)
            | AssetEvent::Imported(_)
            | AssetEvent::Relocated(_)
            | AssetEvent::WentOffline(_)
            | AssetEvent::Edited(_)
            | AssetEvent::FileDeleted(_)
            | AssetEvent::FullSizeRecorded(_)
            | AssetEvent::Embedded(_)
            | AssetEvent::TextRead(_)
            | AssetEvent::FacesSearched(_)
            | AssetEvent::ProcessingFailed(_)
            | AssetEvent::ProcessingRequested(_)
            | AssetEvent::FailureDismissed(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::DescriptionReverted(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::KeyValueRemoved(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::RatingReverted(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::OriginalMoved(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::SidecarWritten(_)
            | AssetEvent::VideoEncoded(_)
            | AssetEvent::VideoEncodingSkipped(_)
            | AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Untagged(_) => {}
        }
        Some(row)
    }
}

/// What the old position lies in does not hold for a new one; what the new one lies in is told after it.
fn set_position(row: &mut TimelineRow, position: Option<&Position>) {
    let (latitude, longitude) =
        position.map(|position| (position.latitude, position.longitude)).unzip();
    if (row.latitude, row.longitude) != (latitude, longitude) {
        (row.city, row.country) = (None, None);
    }
    (row.latitude, row.longitude) = (latitude, longitude);
}

/// The first day of the month.
fn month(instant: NaiveDateTime) -> NaiveDate {
    let date = instant.date();
    date.with_day(1).unwrap_or(date)
}

/// Width by height rounded to three digits; 1 when unknown, as Immich answers.
fn ratio(width: u32, height: u32) -> f64 {
    if width == 0 || height == 0 {
        return 1.0;
    }
    (f64::from(width) / f64::from(height) * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratio_has_three_digits() {
        assert!((ratio(512, 848) - 0.604).abs() < f64::EPSILON);
        assert!((ratio(0, 848) - 1.0).abs() < f64::EPSILON);
    }
}
