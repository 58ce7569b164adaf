//! Events of people to `people_v1`, and what their going means for names, faces and sums.

use std::collections::BTreeSet;

use calotype_domain::catalogue::AnyEvent;
use calotype_domain::person::PersonEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::PersonRow;
use super::{names, sums};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};

/// Applies events of people; says about whom something may look different.
pub(super) async fn apply_in_tx(
    tx: &mut PgConnection,
    events: &[&Event],
) -> Result<BTreeSet<Uuid>, ProjectionError> {
    let mut touched = BTreeSet::new();
    if events.is_empty() {
        return Ok(touched);
    }
    let changes = fold_in_tx::<People>(tx, events).await?;
    names::replace_in_tx(tx, &changes).await?;
    touched.extend(events.iter().map(|event| event.key));
    for event in events {
        let AnyEvent::Person(what) = &event.what else { continue };
        match what {
            PersonEvent::MergedInto(merged) => {
                touched.extend(bury_in_tx(tx, event.key, Some(merged.into_id.uuid())).await?);
            }
            PersonEvent::Deleted(_) => {
                bury_in_tx(tx, event.key, None).await?;
            }
            PersonEvent::Restored(restored) => {
                let others = restored.stand_for.iter().map(|person_id| person_id.uuid());
                touched.extend(part_in_tx(tx, event.key, others.collect()).await?);
            }
            _ => {}
        }
    }
    Ok(touched)
}

/// Removes the people of libraries that are removed for good.
pub(super) async fn forget_libraries_in_tx(
    tx: &mut PgConnection,
    owner_ids: &[Uuid],
) -> Result<(), ProjectionError> {
    if owner_ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with gone as (delete from people_v1 where owner_id = any($1) returning person_id),
              unnamed as (delete from people_names_v1 where owner_id = any($1))
         delete from people_due_v1 where person_id in (select person_id from gone)",
    )
    .bind(owner_ids)
    .execute(tx)
    .await?;
    Ok(())
}

/// Says who somebody is from now on, everywhere; and who that is, when it is anybody.
async fn bury_in_tx(
    tx: &mut PgConnection,
    person_id: Uuid,
    into_id: Option<Uuid>,
) -> Result<Option<Uuid>, ProjectionError> {
    // Who they are may be somebody else by now.
    let into_id: Option<Uuid> = sqlx::query_scalar(
        "insert into people_gone_v1 (person_id, into_id)
         values ($1, case when exists (select from people_gone_v1 where person_id = $2)
                          then (select into_id from people_gone_v1 where person_id = $2)
                          else $2::uuid end)
         on conflict (person_id) do update set into_id = excluded.into_id
         returning into_id",
    )
    .bind(person_id)
    .bind(into_id)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query("update people_gone_v1 set into_id = $2 where into_id = $1")
        .bind(person_id)
        .bind(into_id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("update faces_v1 set person_id = $2 where person_id = $1")
        .bind(person_id)
        .bind(into_id)
        .execute(&mut *tx)
        .await?;
    let concerned: Vec<Uuid> = std::iter::once(person_id).chain(into_id).collect();
    sums::count_again_in_tx(tx, &concerned).await?;
    Ok(into_id)
}

/// Tells somebody apart again, with everybody who stands for them; says who had stood for them until now.
async fn part_in_tx(
    tx: &mut PgConnection,
    person_id: Uuid,
    stand_for: Vec<Uuid>,
) -> Result<Option<Uuid>, ProjectionError> {
    let had: Option<Option<Uuid>> =
        sqlx::query_scalar("delete from people_gone_v1 where person_id = $1 returning into_id")
            .bind(person_id)
            .fetch_optional(&mut *tx)
            .await?;
    sqlx::query("update people_gone_v1 set into_id = $1 where person_id = any($2)")
        .bind(person_id)
        .bind(&stand_for)
        .execute(&mut *tx)
        .await?;
    let said: Vec<Uuid> = std::iter::once(person_id).chain(stand_for).collect();
    sqlx::query("update faces_v1 set person_id = $1 where said_person_id = any($2)")
        .bind(person_id)
        .bind(&said)
        .execute(&mut *tx)
        .await?;
    let had = had.flatten();
    let concerned: Vec<Uuid> = std::iter::once(person_id).chain(had).collect();
    sums::count_again_in_tx(tx, &concerned).await?;
    Ok(had)
}

/// Rows of `people_v1`.
pub(crate) struct People;

impl Fold for People {
    fold_sql!("people_v1", "person_id");
    type Row = PersonRow;

    fn key(row: &PersonRow) -> Uuid {
        row.person_id
    }

    fn revision(row: &PersonRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<PersonRow>, event: &Event) -> Option<PersonRow> {
        let AnyEvent::Person(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, PersonEvent::Created(created)) => PersonRow {
                person_id: event.key,
                revision: event.revision,
                owner_id: created.owner_id.uuid(),
                name: created.name.known().cloned().unwrap_or_default(),
                birth_date: created.birth_date.known().copied().flatten(),
                is_hidden: created.is_hidden,
                is_favorite: created.is_favorite,
                color: created.color.clone(),
                feature_face_id: None,
                thumbnail_key: None,
                thumbnail_face_id: None,
                failed_face_id: None,
                created_at: event.recorded_at,
                updated_at: event.recorded_at,
            },
            (None, PersonEvent::Restored(restored)) => PersonRow {
                person_id: event.key,
                revision: event.revision,
                owner_id: restored.owner_id.uuid(),
                name: restored.name.known().cloned().unwrap_or_default(),
                birth_date: restored.birth_date.known().copied().flatten(),
                is_hidden: restored.is_hidden,
                is_favorite: restored.is_favorite,
                color: restored.color.clone(),
                feature_face_id: restored.feature_face.map(|face| face.face_id.uuid()),
                // It is made anew.
                thumbnail_key: None,
                thumbnail_face_id: None,
                failed_face_id: None,
                created_at: restored.created_at,
                updated_at: event.recorded_at,
            },
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            PersonEvent::Created(_)
            | PersonEvent::Restored(_)
            | PersonEvent::Parted(_)
            | PersonEvent::Merged(_) => {}
            PersonEvent::FeatureFaceReset(_) => row.feature_face_id = None,
            PersonEvent::Named(named) => {
                row.name = named.name.known().cloned().unwrap_or_default();
            }
            PersonEvent::BirthDateChanged(changed) => {
                row.birth_date = changed.birth_date.known().copied().flatten();
            }
            PersonEvent::Hidden(_) => row.is_hidden = true,
            PersonEvent::Shown(_) => row.is_hidden = false,
            PersonEvent::Favorited(_) => row.is_favorite = true,
            PersonEvent::Unfavorited(_) => row.is_favorite = false,
            PersonEvent::ColorChanged(changed) => row.color.clone_from(&changed.color),
            PersonEvent::FeatureFaceChosen(chosen) => {
                row.feature_face_id = Some(chosen.face_id.uuid());
                row.failed_face_id = None;
            }
            PersonEvent::ThumbnailRecorded(made) => {
                row.thumbnail_key = Some(made.image.key.clone());
                row.thumbnail_face_id = made.face_id.map(calotype_domain::FaceId::uuid);
                row.failed_face_id = None;
            }
            PersonEvent::ThumbnailFailed(failed) => {
                row.failed_face_id = Some(failed.face_id.uuid());
            }
            PersonEvent::MergedInto(_) | PersonEvent::Deleted(_) => return None,
        }
        Some(row)
    }
}
