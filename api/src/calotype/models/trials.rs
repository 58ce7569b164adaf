//! `/calotype/models/trials`: trying a model beside the one in use.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_commands::CommandError;
use calotype_domain::permission::Permission;
use calotype_domain::trial::{ModelTrialBegun, ModelTrialError};
use calotype_domain::{ModelTask, UserId};
use calotype_projections::models::ModelTrialView;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::ModelTrialDto;
use super::{NAME_CHARS_MAX, identity, task};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// The largest sample: more is the whole library.
const SAMPLE_MAX: i64 = 10_000_000;
/// Trials that are open at once: they take turns.
const OPEN_MAX: usize = 10;

/// Which model is to be tried, and on what.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct BeginModelTrialDto {
    /// `smartSearch`, `facialRecognition` or `ocr`.
    task: String,
    /// The model's name, as it is installed.
    name: String,
    /// Whose assets it is shown; everybody's when left out.
    user_ids: Option<Vec<Uuid>>,
    /// How many assets at most; all when left out.
    sample: Option<u32>,
}

/// The last trials, the newest first; at most a hundred.
#[utoipa::path(
    get,
    path = "/calotype/models/trials",
    operation_id = "getModelTrials",
    tag = "Calotype",
    responses((status = 200, body = Vec<ModelTrialDto>)),
)]
pub(super) async fn get_model_trials(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ModelTrialDto>>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut told = Vec::new();
    // It looks at every asset: once for each model.
    let mut counted: BTreeMap<(String, Uuid), i64> = BTreeMap::new();
    for trial in api.queries.model_trials().await? {
        let model = (trial.task.clone(), trial.model_id);
        let count = match counted.get(&model) {
            Some(count) => *count,
            None => missing(&api, &trial).await?,
        };
        counted.insert(model, count);
        let progress = api.queries.trial_progress(trial.trial_id).await?;
        told.push(ModelTrialDto::of(trial, progress, count));
    }
    Ok(Json(told))
}

/// Shows a model the library, below everything else; what it says is kept beside what counts.
#[utoipa::path(
    post,
    path = "/calotype/models/trials",
    operation_id = "beginModelTrial",
    tag = "Calotype",
    request_body = BeginModelTrialDto,
    responses((status = 201, body = ModelTrialDto)),
)]
pub(super) async fn begin_model_trial(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<ModelTrialDto>), Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let task = task(&mut fields);
    let name = fields.string_up_to("name", NAME_CHARS_MAX);
    if name.is_none() && !fields.has("name") {
        fields.missing("string", "name");
    }
    let user_ids = fields.uuids("userIds").unwrap_or_default();
    let sample = fields.integer("sample", 1, SAMPLE_MAX);
    fields.finish()?;
    let name = name.unwrap_or_default();
    let Some(model) = identity(&api, task, &name).await else {
        return Err(Problem::not_found(format!(
            "There is no model {name:?} for {}",
            task.as_str()
        )));
    };
    let open = api.queries.open_model_trials().await?.len();
    if open >= OPEN_MAX {
        return Err(conflict("There are too many open trials; cancel one first"));
    }
    let begun = ModelTrialBegun {
        task,
        name,
        model,
        user_ids: user_ids.into_iter().map(UserId::new).collect(),
        sample: sample.and_then(|sample| u32::try_from(sample).ok()),
    };
    let (trial_id, outcome) = api.commands.begin_trial(&caller.context(), begun).await?;
    api.made(&outcome).await?;
    let trials = api.queries.model_trials().await?;
    let begun = trials.into_iter().find(|trial| trial.trial_id == trial_id);
    let begun = begun.ok_or_else(Problem::unavailable)?;
    Ok((StatusCode::CREATED, Json(shown(&api, begun).await?)))
}

/// Ends a trial before its end. What the model said until then stays.
#[utoipa::path(
    delete,
    path = "/calotype/models/trials/{id}",
    operation_id = "cancelModelTrial",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 204)),
)]
pub(super) async fn cancel_model_trial(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::All)?;
    let trial_id = path_uuid("id", &id)?;
    let outcome = api.commands.cancel_trial(&caller.context(), trial_id).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A trial with how far it is.
///
/// # Errors
/// What the database said.
pub(super) async fn shown(api: &Api, trial: ModelTrialView) -> Result<ModelTrialDto, Problem> {
    let progress = api.queries.trial_progress(trial.trial_id).await?;
    let missing = missing(api, &trial).await?;
    Ok(ModelTrialDto::of(trial, progress, missing))
}

/// Assets of the whole library that the model of a trial has said nothing of.
///
/// # Errors
/// What the database said.
pub(super) async fn missing(api: &Api, trial: &ModelTrialView) -> Result<i64, Problem> {
    let task = ModelTask::named(&trial.task).map_or("", ModelTask::as_str);
    Ok(api.queries.not_tried(task, trial.model_id).await?)
}

/// 409 with a message.
pub(in crate::calotype) fn conflict(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, message)
}

impl From<CommandError<ModelTrialError>> for Problem {
    fn from(error: CommandError<ModelTrialError>) -> Self {
        Self::command(error, |refusal| match refusal {
            ModelTrialError::NotFound => Self::not_found("There is no such trial"),
            ModelTrialError::AlreadyExists => conflict("There is such a trial already"),
        })
    }
}
