//! Questions about people and faces.

use uuid::Uuid;

use super::names::folded;
use super::view::{FaceRow, PersonDue, PersonRow};
use crate::error::ProjectionError;
use crate::query::Queries;

/// People found by name at once.
const FOUND_MAX: i64 = 1_000;

/// Which people a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeopleFilter {
    /// In whose library.
    pub owner_id: Uuid,
    /// Those who are left out of lists, too.
    pub with_hidden: bool,
    /// Who has no name is listed with so many faces or more.
    pub faces_min: i64,
    /// People on a page.
    pub size: i64,
    /// People on the pages before.
    pub skipped: i64,
}

/// A page of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeoplePage {
    /// Who is on it.
    pub people: Vec<PersonRow>,
    /// Whether somebody comes after them.
    pub has_more: bool,
    /// People in the library who have a face on the timeline.
    pub total: i64,
    /// Those of them who are left out of lists.
    pub hidden: i64,
}

impl Queries {
    /// One person.
    ///
    /// # Errors
    /// What the database said.
    pub async fn person(&self, person_id: Uuid) -> Result<Option<PersonRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.people_v1 where person_id = $1")
            .bind(person_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Those of some people who exist, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people(&self, person_ids: &[Uuid]) -> Result<Vec<PersonRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.people_v1 where person_id = any($1)")
            .bind(person_ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// People of all libraries whom no face is of, the oldest first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_without_faces(
        &self,
        limit: i64,
    ) -> Result<Vec<PersonRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select person.*
               from read.people_v1 as person
              where not exists (
                    select from read.faces_v1 as face where face.person_id = person.person_id)
              order by person.created_at, person.person_id
              limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A page of the people of a library: favorites first, then who has a name, then who has most faces.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_page(&self, filter: PeopleFilter) -> Result<PeoplePage, ProjectionError> {
        let mut people: Vec<PersonRow> = sqlx::query_as(
            "select person.*
               from read.people_v1 as person
               join read.people_sums_v1 as sums using (person_id)
              where person.owner_id = $1
                and ($2 or not person.is_hidden)
                and (person.name <> '' or sums.faces >= $3)
              order by person.is_hidden, person.is_favorite desc, person.name = '',
                       sums.faces desc, person.name, person.created_at, person.person_id
              limit $4 offset $5",
        )
        .bind(filter.owner_id)
        .bind(filter.with_hidden)
        .bind(filter.faces_min)
        .bind(filter.size.saturating_add(1))
        .bind(filter.skipped)
        .fetch_all(&self.pool)
        .await?;
        let size = usize::try_from(filter.size).unwrap_or(usize::MAX);
        let has_more = people.len() > size;
        people.truncate(size);
        // Sorting went over the same rows: a library has thousands of people, not millions.
        let (total, hidden): (i64, i64) = sqlx::query_as(
            "select count(*), count(*) filter (where person.is_hidden)
               from read.people_v1 as person
               join read.people_sums_v1 using (person_id)
              where person.owner_id = $1",
        )
        .bind(filter.owner_id)
        .fetch_one(&self.pool)
        .await?;
        Ok(PeoplePage { people, has_more, total, hidden })
    }

    /// People of a library, any word of whose name begins with a text; those whose name does come first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_by_name(
        &self,
        owner_id: Uuid,
        text: &str,
        with_hidden: bool,
    ) -> Result<Vec<PersonRow>, ProjectionError> {
        let from = folded(text);
        let to = format!("{from}{}", char::MAX);
        Ok(sqlx::query_as(
            "select person.*
               from (select person_id, bool_or(is_whole) as begins
                       from read.people_names_v1
                      where owner_id = $1 and tail >= $2 and tail < $3
                      group by person_id) as found
               join read.people_v1 as person using (person_id)
               left join read.people_sums_v1 as sums using (person_id)
              where $4 or not person.is_hidden
              order by found.begins desc, coalesce(sums.faces, 0) desc, person.name, person.person_id
              limit $5",
        )
        .bind(owner_id)
        .bind(from)
        .bind(to)
        .bind(with_hidden)
        .bind(FOUND_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// On how many assets of the timeline somebody is.
    ///
    /// # Errors
    /// What the database said.
    pub async fn person_assets(&self, person_id: Uuid) -> Result<i64, ProjectionError> {
        let count: Option<i64> =
            sqlx::query_scalar("select assets from read.people_sums_v1 where person_id = $1")
                .bind(person_id)
                .fetch_optional(&self.pool)
                .await?;
        Ok(count.unwrap_or_default())
    }

    /// One face.
    ///
    /// # Errors
    /// What the database said.
    pub async fn face(&self, face_id: Uuid) -> Result<Option<FaceRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.faces_v1 where face_id = $1")
            .bind(face_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Those of some faces that are there, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn faces(&self, face_ids: &[Uuid]) -> Result<Vec<FaceRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.faces_v1 where face_id = any($1)")
            .bind(face_ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// The faces on an asset, from left to right.
    ///
    /// # Errors
    /// What the database said.
    pub async fn faces_of_asset(&self, asset_id: Uuid) -> Result<Vec<FaceRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.faces_v1
              where asset_id = $1
              order by coalesce(x1, 0), created_at, face_id",
        )
        .bind(asset_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Somebody's faces on an asset, for each pair of them.
    ///
    /// # Errors
    /// What the database said.
    pub async fn faces_of_people_on(
        &self,
        pairs: &[(Uuid, Uuid)],
    ) -> Result<Vec<FaceRow>, ProjectionError> {
        let (person_ids, asset_ids): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().copied().unzip();
        Ok(sqlx::query_as(
            "select distinct face.*
               from unnest($1::uuid[], $2::uuid[]) as pair (person_id, asset_id)
               join read.faces_v1 as face using (person_id, asset_id)",
        )
        .bind(person_ids)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whoever is or was in a library: told apart, merged into somebody there, or deleted, whosever they were; at
    /// most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn people_ever_of(
        &self,
        owner_id: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select person_id from read.people_v1 where owner_id = $1
             union all
             select gone.person_id
               from read.people_gone_v1 as gone
               left join read.people_v1 as into_whom on into_whom.person_id = gone.into_id
              where gone.into_id is null or into_whom.owner_id = $1
              limit $2",
        )
        .bind(owner_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Who is on some assets: asset and person, each pair once, from left to right.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_of_assets(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<Vec<(Uuid, PersonRow)>, ProjectionError> {
        #[derive(sqlx::FromRow)]
        struct Found {
            asset_id: Uuid,
            #[sqlx(flatten)]
            person: PersonRow,
        }
        let found: Vec<Found> = sqlx::query_as(
            "select here.asset_id, person.*
               from (select asset_id, person_id, min(coalesce(x1, 0)) as x1
                       from read.faces_v1
                      where asset_id = any($1) and person_id is not null
                      group by asset_id, person_id) as here
               join read.people_v1 as person using (person_id)
              order by here.asset_id, here.x1, person.person_id",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(found.into_iter().map(|found| (found.asset_id, found.person)).collect())
    }

    /// People whose picture has to be made, with the face to make it of: the one somebody chose, the one
    /// it shows, or the largest. At most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_due(&self, limit: i64) -> Result<Vec<PersonDue>, ProjectionError> {
        Ok(sqlx::query_as(
            "select person.person_id, person.owner_id, person.thumbnail_key, best.face_id,
                    best.x1, best.y1, best.x2, best.y2, best.preview_key, best.blake3
               from read.people_due_v1
               join read.people_v1 as person using (person_id),
                    lateral (
                        select face.face_id, face.x1, face.y1, face.x2, face.y2,
                               asset.preview_key, asset.blake3
                          from read.faces_v1 as face
                          join read.assets_v1 as asset using (asset_id)
                         where face.person_id = person.person_id
                           and face.face_id is distinct from person.failed_face_id
                           and face.is_shown and face.x1 is not null
                           and asset.preview_key is not null
                         order by face.face_id = person.feature_face_id desc nulls last,
                                  face.face_id = person.thumbnail_face_id desc nulls last,
                                  (face.x2 - face.x1) * (face.y2 - face.y1) desc, face.face_id
                         limit 1) as best
              order by person.person_id
              limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// People who have a picture, after one, in the order of ids, with the face that it shows.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_pictured_after(
        &self,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<PersonDue>, ProjectionError> {
        Ok(sqlx::query_as(
            "select person.person_id, person.owner_id, person.thumbnail_key, face.face_id,
                    face.x1, face.y1, face.x2, face.y2, asset.preview_key, asset.blake3
               from read.people_v1 as person
               join read.faces_v1 as face on face.face_id = person.thumbnail_face_id
               join read.assets_v1 as asset using (asset_id)
              where person.person_id > $1 and person.thumbnail_key is not null
                and face.x1 is not null and asset.preview_key is not null
              order by person.person_id
              limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whether somebody's picture is cut from a photo that is behind the PIN by now.
    ///
    /// # Errors
    /// What the database said.
    pub async fn is_picture_locked(&self, person_id: Uuid) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select exists (
                 select from read.people_v1 as person
                   join read.faces_v1 as face on face.face_id = person.thumbnail_face_id
                   join read.assets_v1 as asset using (asset_id)
                  where person.person_id = $1 and asset.visibility = 'locked')",
        )
        .bind(person_id)
        .fetch_one(&self.pool)
        .await?)
    }

    /// The pictures of everybody in a library, by the keys of their blobs.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_pictures_of(&self, owner_id: Uuid) -> Result<Vec<String>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select thumbnail_key from read.people_v1
              where owner_id = $1 and thumbnail_key is not null",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }
}
