//! Whose faces would be by another model: what its groups propose, counted.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// One face of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ProposedFace {
    /// Its photo.
    pub asset_id: Uuid,
    /// The face: a known one at the same place, or a new one.
    pub face_id: Uuid,
    /// Whose library it is in.
    pub owner_id: Uuid,
    /// Whose it is; none for nobody's.
    pub before_id: Option<Uuid>,
    /// Whose it would be, of those who are there.
    pub after_id: Option<Uuid>,
    /// The number of somebody new whose it would be.
    pub fresh: Option<i32>,
    /// Whether the model finds it; else it would be gone.
    pub is_found: bool,
    /// Whether no face is known at its place.
    pub is_new: bool,
    /// Whether its photo is on the timeline.
    pub is_shown: bool,
}

/// What a proposal changes about one person.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PersonDiff {
    /// The person.
    pub person_id: Uuid,
    /// Whose library they are in.
    pub owner_id: Uuid,
    /// Whether they have a name.
    pub is_named: bool,
    /// Photos that they would be on no more.
    pub lost: i64,
    /// Photos that they would be on.
    pub gained: i64,
    /// Some of the photos that they would be on no more.
    pub lost_ids: Vec<Uuid>,
    /// Some of the photos that they would be on.
    pub gained_ids: Vec<Uuid>,
}

/// What a proposal changes, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FacesDiff {
    /// Faces that were compared: found before, by the model, or by both.
    pub compared: i64,
    /// Faces that would be somebody else's.
    pub moved: i64,
    /// Nobody's faces that would be somebody's.
    pub joined: i64,
    /// Somebody's faces that would be nobody's.
    pub left: i64,
    /// Faces that the model does not find.
    pub gone: i64,
    /// Faces that nobody has found before.
    pub found: i64,
    /// People that would be made of groups.
    pub new_people: i64,
    /// People who would have no face any more.
    pub vanished: Vec<Uuid>,
    /// People who lose or gain photos, most first.
    pub people: Vec<PersonDiff>,
    /// Faces that would be somebody else's, nobody's, or somebody's for the first time; some of them.
    pub faces: Vec<ProposedFace>,
}

impl Queries {
    /// What the proposal of a trial changes, with up to so many examples of each kind.
    ///
    /// # Errors
    /// What the database said.
    pub async fn faces_diff(
        &self,
        trial_id: Uuid,
        examples: i64,
    ) -> Result<FacesDiff, ProjectionError> {
        let counted: (i64, i64, i64, i64, i64, i64, i64) = sqlx::query_as(
            "select count(*),
                    count(*) filter (where before_id is not null
                                       and (fresh is not null or after_id <> before_id)),
                    count(*) filter (where before_id is null
                                       and (fresh is not null or after_id is not null)),
                    count(*) filter (where before_id is not null and is_found
                                       and after_id is null and fresh is null),
                    count(*) filter (where not is_found),
                    count(*) filter (where is_new),
                    count(distinct (owner_id, fresh)) filter (where fresh is not null)
               from work.model_proposals
              where trial_id = $1",
        )
        .bind(trial_id)
        .fetch_one(&self.pool)
        .await?;
        let vanished = sqlx::query_scalar(
            "select distinct before_id
               from work.model_proposals as face
              where trial_id = $1 and before_id is not null
                and not exists (select from work.model_proposals as other
                                 where other.trial_id = $1 and other.after_id = face.before_id)
                and not exists (select from read.faces_v1 as kept
                                 where kept.person_id = face.before_id
                                   and not exists (select from work.model_proposals as known
                                                    where known.trial_id = $1
                                                      and known.asset_id = kept.asset_id
                                                      and known.face_id = kept.face_id))
              order by before_id",
        )
        .bind(trial_id)
        .fetch_all(&self.pool)
        .await?;
        let people = sqlx::query_as(
            "with before as (
                 select distinct before_id as person_id, asset_id
                   from work.model_proposals where trial_id = $1 and before_id is not null),
             after as (
                 select distinct after_id as person_id, asset_id
                   from work.model_proposals where trial_id = $1 and after_id is not null),
             lost as (select * from before except select * from after),
             gained as (select * from after except select * from before),
             changes as (
                 select person_id, asset_id, true as is_lost from lost
                  union all
                 select person_id, asset_id, false from gained)
             select person.person_id, person.owner_id, person.name <> '' as is_named,
                    count(*) filter (where is_lost) as lost,
                    count(*) filter (where not is_lost) as gained,
                    coalesce((array_agg(asset_id order by asset_id)
                        filter (where is_lost))[1:$2], '{}') as lost_ids,
                    coalesce((array_agg(asset_id order by asset_id)
                        filter (where not is_lost))[1:$2], '{}') as gained_ids
               from changes
               join read.people_v1 as person using (person_id)
              group by person.person_id, person.owner_id, person.name
              order by count(*) desc, person.person_id
              limit $2",
        )
        .bind(trial_id)
        .bind(examples)
        .fetch_all(&self.pool)
        .await?;
        let faces = sqlx::query_as(
            "select asset_id, face_id, owner_id, before_id, after_id, fresh, is_found, is_new,
                    is_shown
               from work.model_proposals
              where trial_id = $1
                and (before_id is distinct from after_id or fresh is not null)
              order by asset_id, face_id
              limit $2",
        )
        .bind(trial_id)
        .bind(examples)
        .fetch_all(&self.pool)
        .await?;
        let (compared, moved, joined, left, gone, found, new_people) = counted;
        Ok(FacesDiff {
            compared,
            moved,
            joined,
            left,
            gone,
            found,
            new_people,
            vanished,
            people,
            faces,
        })
    }

    /// Whose the faces of some photos would be by the proposal of a trial.
    ///
    /// # Errors
    /// What the database said.
    pub async fn proposed_faces(
        &self,
        trial_id: Uuid,
        asset_ids: &[Uuid],
    ) -> Result<Vec<ProposedFace>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, face_id, owner_id, before_id, after_id, fresh, is_found, is_new,
                    is_shown
               from work.model_proposals
              where trial_id = $1 and asset_id = any($2)
              order by asset_id, face_id",
        )
        .bind(trial_id)
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }
}
