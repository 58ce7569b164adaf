//! Questions about the vectors of faces, and about whose faces are.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use calotype_eventstore::GlobalPosition;
use futures::TryStreamExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use super::gallery::Gallery;
use super::kept::{Galleries, Wanted};
use crate::embeddings::Codes;
use crate::error::ProjectionError;
use crate::people::PeopleProjection;
use crate::projection::checkpoint_name;
use crate::query::Queries;

/// Whose a face is said to be, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct FaceStanding {
    /// The face.
    pub face_id: Uuid,
    /// On which photo.
    pub asset_id: Uuid,
    /// Whose it is by now.
    pub person_id: Option<Uuid>,
    /// Whether a person said so, and named somebody who is still there.
    pub is_said_by_people: bool,
    /// Whether the photo is on the timeline and not in the trash.
    pub is_shown: bool,
}

#[derive(FromRow)]
struct VectorRow {
    face_id: Uuid,
    asset_id: Uuid,
    scale: f32,
    codes: Vec<u8>,
}

impl VectorRow {
    fn put_into(self, gallery: &mut Gallery) {
        let codes = self.codes.into_iter().map(u8::cast_signed).collect();
        gallery.push(self.face_id, self.asset_id, &Codes { codes, scale: self.scale });
    }
}

/// Whose faces are, of those that a condition leaves. Of whoever was deleted nobody said anything.
macro_rules! standing_where {
    ($condition:literal) => {
        concat!(
            "select face_id, asset_id, person_id,
                    (is_drawn or is_confirmed) and person_id is not null as is_said_by_people,
                    is_shown
               from read.faces_v1
              where ",
            $condition
        )
    };
}

impl Queries {
    /// The galleries in memory, which are to be told of applied batches.
    #[must_use]
    pub fn galleries(&self) -> &Galleries {
        &self.galleries
    }

    /// The faces of a library that a model has found, as the read models show them. Places change when somebody
    /// asks for it again, so whoever compares holds it meanwhile.
    ///
    /// # Errors
    /// What the database said.
    pub async fn gallery(
        &self,
        owner_id: Uuid,
        model_id: Uuid,
    ) -> Result<Arc<RwLock<Gallery>>, ProjectionError> {
        let _reading = self.galleries.turn_to_read().await;
        let wanted = Wanted { owner_id, model_id };
        let read = match self.galleries.take(wanted) {
            Some((gallery, changed)) => {
                self.read_changed_faces(wanted, &gallery, &changed).await.map(|()| gallery)
            }
            None => self.read_gallery(wanted).await,
        };
        if read.is_err() {
            self.galleries.drop_it(wanted);
        }
        read
    }

    async fn read_gallery(&self, wanted: Wanted) -> Result<Arc<RwLock<Gallery>>, ProjectionError> {
        let gallery = self.galleries.begin(wanted);
        let mut read = Gallery::default();
        let mut rows = sqlx::query_as::<_, VectorRow>(
            "select vector.face_id, vector.asset_id, vector.scale, vector.codes
               from read.face_vectors_v1 as vector
               join read.faces_v1 as face using (face_id)
              where face.owner_id = $1 and vector.model_id = $2
              order by vector.face_id",
        )
        .bind(wanted.owner_id)
        .bind(wanted.model_id)
        .fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            row.put_into(&mut read);
        }
        *gallery.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(gallery)
    }

    async fn read_changed_faces(
        &self,
        wanted: Wanted,
        gallery: &Arc<RwLock<Gallery>>,
        changed: &HashSet<Uuid>,
    ) -> Result<(), ProjectionError> {
        if changed.is_empty() {
            return Ok(());
        }
        let asset_ids: Vec<Uuid> = changed.iter().copied().collect();
        let rows: Vec<VectorRow> = sqlx::query_as(
            "select vector.face_id, vector.asset_id, vector.scale, vector.codes
               from read.face_vectors_v1 as vector
               join read.faces_v1 as face using (face_id)
              where vector.asset_id = any($1) and face.owner_id = $2 and vector.model_id = $3
              order by vector.face_id",
        )
        .bind(&asset_ids)
        .bind(wanted.owner_id)
        .bind(wanted.model_id)
        .fetch_all(&self.pool)
        .await?;
        let (gallery, changed) = (Arc::clone(gallery), changed.clone());
        // All faces behind the photos move up, which takes long where there are many.
        let writing = tokio::task::spawn_blocking(move || {
            let mut gallery = gallery.write().unwrap_or_else(PoisonError::into_inner);
            gallery.remove_photos(&changed);
            for row in rows {
                row.put_into(&mut gallery);
            }
        });
        if let Err(error) = writing.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
        Ok(())
    }

    /// Whose some faces are; those that are there, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn face_standings(
        &self,
        face_ids: &[Uuid],
    ) -> Result<Vec<FaceStanding>, ProjectionError> {
        Ok(sqlx::query_as(standing_where!("face_id = any($1)"))
            .bind(face_ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Whose the faces of a photo are, in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn face_standings_on(
        &self,
        asset_id: Uuid,
    ) -> Result<Vec<FaceStanding>, ProjectionError> {
        Ok(sqlx::query_as(standing_where!("asset_id = $1 order by face_id"))
            .bind(asset_id)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Whose all faces of a library are, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn face_standings_of(
        &self,
        owner_id: Uuid,
    ) -> Result<Vec<FaceStanding>, ProjectionError> {
        Ok(sqlx::query_as(standing_where!("owner_id = $1"))
            .bind(owner_id)
            .fetch_all(&self.pool)
            .await?)
    }

    /// The people of a library of whom somebody said anything: a name, a day of birth, a mark, a picture, or that
    /// another one is the same.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_spoken_of(&self, owner_id: Uuid) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select person_id
               from read.people_v1 as person
              where owner_id = $1
                and (name <> '' or birth_date is not null or is_hidden or is_favorite
                     or color is not null or feature_face_id is not null
                     or exists (select from read.people_gone_v1 as gone
                                 where gone.into_id = person.person_id))",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The next owner of faces in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn face_owner_after(&self, after: Uuid) -> Result<Option<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select min(owner_id::text)::uuid from read.faces_v1 where owner_id > $1",
        )
        .bind(after)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Photos with faces that have a vector of this model and are nobody's, after the given id, in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn to_recognise_after(
        &self,
        after: Uuid,
        model_id: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select distinct vector.asset_id
               from read.face_vectors_v1 as vector
               join read.faces_v1 as face using (face_id)
              where vector.asset_id > $1 and vector.model_id = $2 and face.person_id is null
              order by vector.asset_id
              limit $3",
        )
        .bind(after)
        .bind(model_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Assets with pictures after the given id, in the order of ids; with a model only those in which it has not
    /// looked for faces. What is part of another asset is left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn to_search_for_faces_after(
        &self,
        after: Uuid,
        known_to: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select a.asset_id
               from read.assets_v1 a
              where a.asset_id > $2 and a.preview_key is not null and a.visibility <> 'hidden'
                and not exists (select from read.face_searches_v1 s
                                 where s.asset_id = a.asset_id and s.model_id = $1)
              order by a.asset_id
              limit $3",
        )
        .bind(known_to)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whether the read model of people has passed an event.
    ///
    /// # Errors
    /// What the log or the database said.
    pub async fn people_have_passed(&self, event_id: Uuid) -> Result<bool, ProjectionError> {
        let Some(position) = self.store().position_of(event_id).await? else { return Ok(false) };
        let passed: Option<i64> =
            sqlx::query_scalar("select position from work.checkpoints where name = $1")
                .bind(checkpoint_name(&PeopleProjection))
                .fetch_optional(&self.pool)
                .await?;
        Ok(passed.is_some_and(|passed| GlobalPosition::new(passed) >= position))
    }
}
