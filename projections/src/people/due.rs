//! `people_due_v1`: people whose picture is missing, shows a face that is not theirs any more, or another
//! than the one somebody chose. Marked anew for everybody whom a batch touched.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;

/// A face can be cut out when it has a place on a photo that shows and has a preview.
const MARK: &str = "
    insert into people_due_v1 (person_id)
    select person.person_id
      from people_v1 as person
     where person.person_id = any($1)
       and case
               when exists (
                   select from faces_v1 as face
                    where face.face_id = person.feature_face_id
                      and face.person_id = person.person_id
                      and face.face_id is distinct from person.failed_face_id
                      and face.is_shown and face.has_preview and face.x1 is not null)
               then person.feature_face_id is distinct from person.thumbnail_face_id
               when exists (
                   select from faces_v1 as face
                    where face.face_id = person.thumbnail_face_id
                      and face.person_id = person.person_id
                      and face.is_shown and face.has_preview and face.x1 is not null)
               then false
               else exists (
                   select from faces_v1 as face
                    where face.person_id = person.person_id
                      and face.face_id is distinct from person.failed_face_id
                      and face.is_shown and face.has_preview and face.x1 is not null)
           end";

/// Marks those of some people whose picture has to be made, and unmarks the others.
pub(super) async fn mark_in_tx(
    tx: &mut PgConnection,
    person_ids: &[Uuid],
) -> Result<(), ProjectionError> {
    if person_ids.is_empty() {
        return Ok(());
    }
    sqlx::query("delete from people_due_v1 where person_id = any($1)")
        .bind(person_ids)
        .execute(&mut *tx)
        .await?;
    sqlx::query(MARK).bind(person_ids).execute(tx).await?;
    Ok(())
}
