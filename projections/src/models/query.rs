//! Questions about models and their trials.

use uuid::Uuid;

use super::view::{KnownModel, ModelSwitch, ModelTrialView, TrialProgress};
use crate::error::ProjectionError;
use crate::query::Queries;

/// Trials that are listed, the newest first.
const TRIALS_MAX: i64 = 100;

/// Which assets a model is to be shown.
#[derive(Clone, Debug)]
pub struct TrialScope {
    /// What it is asked for, as tables name it.
    pub task: &'static str,
    /// The model.
    pub model_id: Uuid,
    /// Whose; everybody's where there is none.
    pub user_ids: Vec<Uuid>,
}

impl Queries {
    /// Every model that said something, and of how many assets. It counts all results: half a second at a million
    /// assets.
    ///
    /// # Errors
    /// What the database said.
    pub async fn known_models(&self) -> Result<Vec<KnownModel>, ProjectionError> {
        Ok(sqlx::query_as(
            "with counts (task, result_id, assets, beside) as (
                 select 'smartSearch', model_id, count(*), 0::bigint
                   from read.embeddings_v1 group by model_id
                 union all
                 select 'smartSearch', model_id, 0, count(*)
                   from read.embeddings_beside_v1 group by model_id
                 union all
                 select 'facialRecognition', model_id, count(*), 0
                   from read.face_searches_v1 group by model_id
                 union all
                 select 'ocr', reader_id, count(*), 0
                   from read.texts_v1 group by reader_id
                 union all
                 select task, model_id, 0, count(*)
                   from read.trial_results_v1 as tried
                  where task <> 'smartSearch'
                    and not (task = 'facialRecognition'
                             and exists (select from read.face_searches_v1 as used
                                          where used.asset_id = tried.asset_id
                                            and used.model_id = tried.model_id))
                    and not (task = 'ocr'
                             and exists (select from read.texts_v1 as used
                                           join read.models_v1 as model
                                             on model.result_id = used.reader_id
                                            and model.task = 'ocr'
                                          where used.asset_id = tried.asset_id
                                            and model.model_id = tried.model_id))
                  group by task, model_id)
             select model.task, model.model_id, model.name, model.revision, model.sha256,
                    sum(counts.assets)::bigint as assets, sum(counts.beside)::bigint as beside
               from counts
               join read.models_v1 as model using (task, result_id)
              group by model.task, model.model_id, model.name, model.revision, model.sha256
              order by model.task, assets desc, model.name, model.model_id",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The trials, the newest first, at most a hundred.
    ///
    /// # Errors
    /// What the database said.
    pub async fn model_trials(&self) -> Result<Vec<ModelTrialView>, ProjectionError> {
        Ok(sqlx::query_as(
            "select trial_id, task, name, model_id, model_name, model_revision, model_sha256,
                    user_ids, sample, state, begun_at, ended_at, tried, failed
               from read.model_trials_v1
              order by begun_at desc, trial_id
              limit $1",
        )
        .bind(TRIALS_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The trials that are under way, in the order in which they began.
    ///
    /// # Errors
    /// What the database said.
    pub async fn open_model_trials(&self) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select trial_id from read.model_trials_v1
              where state = 'open' order by begun_at, trial_id",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// How far a trial is; none where it has not begun, or is done.
    ///
    /// # Errors
    /// What the database said.
    pub async fn trial_progress(
        &self,
        trial_id: Uuid,
    ) -> Result<Option<TrialProgress>, ProjectionError> {
        Ok(sqlx::query_as(
            "select after_id, seen, tried, failed, shown_at
               from work.model_trials where trial_id = $1",
        )
        .bind(trial_id)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Assets with pictures after the given id, in the order of ids: `tried` where the model has said something of
    /// them, `failed` where it could not; what is part of another asset is left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn to_try_after(
        &self,
        scope: &TrialScope,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<(Uuid, Option<String>)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select a.asset_id,
                    case when exists (select from read.trial_results_v1 as known
                                       where known.task = $1 and known.model_id = $2
                                         and known.asset_id = a.asset_id)
                         then 'tried'
                         when exists (select from work.model_failures as failed
                                       where failed.task = $1 and failed.model_id = $2
                                         and failed.asset_id = a.asset_id)
                         then 'failed' end as known
               from read.assets_v1 a
              where a.asset_id > $3 and a.preview_key is not null and a.visibility <> 'hidden'
                and (cardinality($4::uuid[]) = 0 or a.owner_id = any($4))
              order by a.asset_id
              limit $5",
        )
        .bind(scope.task)
        .bind(scope.model_id)
        .bind(after)
        .bind(&scope.user_ids)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// How many assets with pictures the model has neither said something of nor failed at: in trials, or in
    /// earnest.
    ///
    /// # Errors
    /// What the database said.
    pub async fn not_tried(&self, task: &str, model_id: Uuid) -> Result<i64, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select count(*)
               from read.assets_v1 a
              where a.preview_key is not null and a.visibility <> 'hidden'
                and not exists (select from read.trial_results_v1 as known
                                 where known.task = $1 and known.model_id = $2
                                   and known.asset_id = a.asset_id)
                and not exists (select from work.model_failures as failed
                                 where failed.task = $1 and failed.model_id = $2
                                   and failed.asset_id = a.asset_id)
                and not ($1 = 'smartSearch'
                         and exists (select from read.embeddings_v1 as used
                                      where used.asset_id = a.asset_id and used.model_id = $2))
                and not ($1 = 'smartSearch'
                         and exists (select from read.embeddings_beside_v1 as beside
                                      where beside.asset_id = a.asset_id and beside.model_id = $2))
                and not ($1 = 'facialRecognition'
                         and exists (select from read.face_searches_v1 as used
                                      where used.asset_id = a.asset_id and used.model_id = $2))
                and not ($1 = 'ocr'
                         and exists (select from read.texts_v1 as used
                                       join read.models_v1 as model
                                         on model.result_id = used.reader_id
                                        and model.task = 'ocr'
                                      where used.asset_id = a.asset_id
                                        and model.model_id = $2))",
        )
        .bind(task)
        .bind(model_id)
        .fetch_one(&self.pool)
        .await?)
    }

    /// The next assets, of one owner or of all, of which a model that was tried said something, in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tried_after(
        &self,
        task: &str,
        model_id: Uuid,
        owner_id: Option<Uuid>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.trial_results_v1
              where task = $1 and model_id = $2 and asset_id > $3
                and ($5::uuid is null or owner_id = $5)
              order by asset_id
              limit $4",
        )
        .bind(task)
        .bind(model_id)
        .bind(after)
        .bind(limit)
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Those of some assets that are on the timeline and not in the trash.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shown_of(&self, asset_ids: &[Uuid]) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.faces_assets_v1
              where asset_id = any($1) and visibility = 'timeline' and not is_trashed",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The owners of assets of which a model that was tried said something.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tried_owners(
        &self,
        task: &str,
        model_id: Uuid,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select distinct owner_id from read.trial_results_v1
              where task = $1 and model_id = $2 order by owner_id",
        )
        .bind(task)
        .bind(model_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The last switch of each task.
    ///
    /// # Errors
    /// What the database said.
    pub async fn model_switches(&self) -> Result<Vec<ModelSwitch>, ProjectionError> {
        Ok(sqlx::query_as(
            "select task, event_id, name, model_id, former_id, is_rollback, can_roll_back,
                    switched_at
               from read.model_switches_v1 order by task",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// How many assets have followed a switch, and whether all have; none before the first has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn followed(&self, event_id: Uuid) -> Result<Option<(i64, bool)>, ProjectionError> {
        Ok(sqlx::query_as("select followed, is_done from work.model_follows where event_id = $1")
            .bind(event_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Bytes that are attached to an event under a name.
    ///
    /// # Errors
    /// What the database said.
    pub async fn attached(
        &self,
        event_id: Uuid,
        name: &str,
    ) -> Result<Option<Vec<u8>>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select bytes from log.attachments where event_id = $1 and name = $2",
        )
        .bind(event_id)
        .bind(name)
        .fetch_optional(&self.pool)
        .await?)
    }
}
