//! `work.model_*`: how far trials are, what they could not do, whose faces would be, and how far assets follow.

use calotype_domain::AssetId;
use calotype_domain::trial::ModelTrialBegun;
use calotype_projections::models::{ProposedFace, TrialProgress};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::worker::Worker;

impl Worker {
    pub(super) async fn keep_progress(
        &self,
        trial_id: Uuid,
        progress: TrialProgress,
    ) -> Result<(), ProcessorError> {
        let TrialProgress { after_id, seen, tried, failed, shown_at } = progress;
        sqlx::query(
            "insert into work.model_trials (trial_id, after_id, seen, tried, failed, shown_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (trial_id) do update
                set after_id = excluded.after_id, seen = excluded.seen, tried = excluded.tried,
                    failed = excluded.failed, shown_at = excluded.shown_at",
        )
        .bind(trial_id)
        .bind(after_id)
        .bind(seen)
        .bind(tried)
        .bind(failed)
        .bind(shown_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub(super) async fn keep_failure(
        &self,
        begun: &ModelTrialBegun,
        asset_id: AssetId,
    ) -> Result<(), ProcessorError> {
        sqlx::query(
            "insert into work.model_failures (task, model_id, asset_id) values ($1, $2, $3)
             on conflict do nothing",
        )
        .bind(begun.task.as_str())
        .bind(begun.model.id())
        .bind(asset_id.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub(super) async fn forget_proposal(&self, trial_id: Uuid) -> Result<(), ProcessorError> {
        sqlx::query("delete from work.model_proposals where trial_id = $1")
            .bind(trial_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(crate) async fn keep_proposal(
        &self,
        trial_id: Uuid,
        faces: &[ProposedFace],
    ) -> Result<(), ProcessorError> {
        sqlx::query(
            "insert into work.model_proposals
                    (trial_id, asset_id, face_id, owner_id, before_id, after_id, fresh, is_found,
                     is_new, is_shown)
             select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
                                      $7::integer[], $8::boolean[], $9::boolean[], $10::boolean[])
             on conflict do nothing",
        )
        .bind(trial_id)
        .bind(faces.iter().map(|face| face.asset_id).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.face_id).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.owner_id).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.before_id).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.after_id).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.fresh).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.is_found).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.is_new).collect::<Vec<_>>())
        .bind(faces.iter().map(|face| face.is_shown).collect::<Vec<_>>())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Who was made of somebody new of a proposal.
    pub(super) async fn made_of(
        &self,
        trial_id: Uuid,
        owner_id: Uuid,
        fresh: i32,
    ) -> Result<Option<Uuid>, ProcessorError> {
        Ok(sqlx::query_scalar(
            "select person_id from work.model_people
              where trial_id = $1 and owner_id = $2 and fresh = $3",
        )
        .bind(trial_id)
        .bind(owner_id)
        .bind(fresh)
        .fetch_optional(&self.pool)
        .await?)
    }

    pub(super) async fn keep_made(
        &self,
        trial_id: Uuid,
        owner_id: Uuid,
        fresh: i32,
        person_id: Uuid,
    ) -> Result<(), ProcessorError> {
        sqlx::query(
            "insert into work.model_people (trial_id, owner_id, fresh, person_id)
             values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(trial_id)
        .bind(owner_id)
        .bind(fresh)
        .bind(person_id)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// After a way back, who was made has no faces any more and may be removed: a later switch makes others.
    pub(super) async fn forget_made(&self, model_id: Uuid) -> Result<(), ProcessorError> {
        sqlx::query(
            "delete from work.model_people
              where trial_id in (select trial_id from read.model_trials_v1 where model_id = $1)",
        )
        .bind(model_id)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last asset in the order of ids that followed a switch.
    pub(super) async fn followed_to(&self, event_id: Uuid) -> Result<Uuid, ProcessorError> {
        let after: Option<Uuid> =
            sqlx::query_scalar("select after_id from work.model_follows where event_id = $1")
                .bind(event_id)
                .fetch_optional(&self.pool)
                .await?;
        Ok(after.unwrap_or_default())
    }

    pub(super) async fn keep_followed(
        &self,
        event_id: Uuid,
        after_id: Uuid,
        followed: i64,
        is_done: bool,
    ) -> Result<(), ProcessorError> {
        sqlx::query(
            "insert into work.model_follows as known (event_id, after_id, followed, is_done)
             values ($1, $2, $3, $4)
             on conflict (event_id) do update
                set after_id = excluded.after_id, followed = known.followed + excluded.followed,
                    is_done = excluded.is_done",
        )
        .bind(event_id)
        .bind(after_id)
        .bind(followed)
        .bind(is_done)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
