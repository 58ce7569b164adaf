//! What is told of models and their trials.

use calotype_domain::model::ModelRef;
use calotype_projections::models::{KnownModel, ModelTrialView, TrialProgress};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;

/// A model: two numbers can be compared only where all three are the same.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelIdentityDto {
    /// Its name.
    pub(in crate::calotype) name: String,
    /// The version of the steps round it.
    pub(in crate::calotype) revision: String,
    /// SHA-256 of its files, hexadecimal.
    pub(in crate::calotype) sha256: String,
}

impl From<ModelRef> for ModelIdentityDto {
    fn from(model: ModelRef) -> Self {
        let ModelRef { name, revision, sha256 } = model;
        Self { name, revision, sha256 }
    }
}

/// How many assets a model has said something of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelResultsDto {
    pub(super) model: ModelIdentityDto,
    /// Assets of which what it says counts.
    pub(super) assets: i64,
    /// Assets of which it is kept beside what counts.
    pub(super) beside: i64,
}

impl From<&KnownModel> for ModelResultsDto {
    fn from(known: &KnownModel) -> Self {
        let model = ModelIdentityDto {
            name: known.name.clone(),
            revision: known.revision.clone(),
            sha256: known.sha256.clone(),
        };
        Self { model, assets: known.assets, beside: known.beside }
    }
}

/// A trial of a model.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelTrialDto {
    pub(super) id: Uuid,
    /// `smartSearch`, `facialRecognition` or `ocr`.
    pub(super) task: String,
    /// The name that it is asked by.
    pub(super) name: String,
    pub(super) model: ModelIdentityDto,
    /// Whose assets it is shown; everybody's where there is none.
    pub(super) user_ids: Vec<Uuid>,
    /// How many assets at most.
    #[schema(required)]
    pub(super) sample: Option<i64>,
    /// `open`, `finished` or `cancelled`.
    pub(super) state: String,
    pub(super) begun_at: String,
    #[schema(required)]
    pub(super) ended_at: Option<String>,
    /// Assets that were looked at.
    pub(super) seen: i64,
    /// Assets that it said something of.
    pub(super) tried: i64,
    /// Assets that it could say nothing of.
    pub(super) failed: i64,
    /// Assets with pictures that it has said nothing of.
    pub(super) missing: i64,
}

impl ModelTrialDto {
    pub(super) fn of(trial: ModelTrialView, progress: Option<TrialProgress>, missing: i64) -> Self {
        let now = progress.unwrap_or_default();
        let is_finished = trial.is_finished();
        Self {
            id: trial.trial_id,
            task: trial.task,
            name: trial.name,
            model: ModelIdentityDto {
                name: trial.model_name,
                revision: trial.model_revision,
                sha256: trial.model_sha256,
            },
            user_ids: trial.user_ids,
            sample: trial.sample,
            state: trial.state,
            begun_at: dates::iso(trial.begun_at),
            ended_at: trial.ended_at.map(dates::iso),
            seen: now.seen,
            tried: if is_finished { trial.tried } else { now.tried },
            failed: if is_finished { trial.failed } else { now.failed },
            missing,
        }
    }
}
