//! `POST /calotype/models/switch` and `/rollback`: which model's results count, by one event.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::ModelTask;
use calotype_domain::config::{ConfigCommand, ConfigModelSwitched};
use calotype_domain::model::ModelRef;
use calotype_domain::permission::Permission;
use calotype_projections::models::ModelTrialView;
use utoipa::ToSchema;

use super::get_models::{TaskModelsDto, of_task};
use super::trials::{conflict, missing};
use super::{NAME_CHARS_MAX, best_trial, identity, task};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Which model is to count.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct SwitchModelDto {
    /// `smartSearch`, `facialRecognition` or `ocr`.
    task: String,
    /// The model's name; the one that was tried last when left out.
    name: Option<String>,
    /// Also where it has not said something of every asset: the others wait in their queue.
    incomplete: Option<bool>,
}

/// Which model is to count no more.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct RollBackModelDto {
    /// `smartSearch`, `facialRecognition` or `ocr`.
    task: String,
}

/// Lets what a model that was tried says count from now on.
#[utoipa::path(
    post,
    path = "/calotype/models/switch",
    operation_id = "switchModel",
    tag = "Calotype",
    request_body = SwitchModelDto,
    responses((status = 200, body = TaskModelsDto)),
)]
pub(super) async fn switch_model(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<TaskModelsDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let task = task(&mut fields);
    let name = fields.string_up_to("name", NAME_CHARS_MAX);
    let is_incomplete = fields.boolean("incomplete").unwrap_or_default();
    fields.finish()?;
    require_settings(&api)?;
    let trial = best_trial(&api, task, name.as_deref()).await?;
    let settings = api.queries.settings().await?;
    let former_name = settings.text(task.setting()).to_owned();
    let Some(former) = identity(&api, task, &former_name).await else {
        return Err(conflict(format!(
            "The model in use, {former_name:?}, is not there: without it there is no way back"
        )));
    };
    let model = tried(&api, task, &trial).await?;
    if model == former {
        return Err(conflict(format!("{:?} is the model in use", trial.name)));
    }
    if !is_incomplete {
        require_complete(&api, &trial).await?;
    } else if trial.state == "open" {
        let cancelled = api.commands.cancel_trial(&caller.context(), trial.trial_id).await?;
        api.seen(&cancelled).await;
    }
    let wish = ConfigModelSwitched { task, name: trial.name, model, former_name, former };
    let command = ConfigCommand::SwitchModel(Box::new(wish));
    carry_out(&api, &caller, task, &command).await
}

/// Lets what the model before the last switch says count again.
#[utoipa::path(
    post,
    path = "/calotype/models/rollback",
    operation_id = "rollBackModel",
    tag = "Calotype",
    request_body = RollBackModelDto,
    responses((status = 200, body = TaskModelsDto)),
)]
pub(super) async fn roll_back_model(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<TaskModelsDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let task = task(&mut fields);
    fields.finish()?;
    require_settings(&api)?;
    carry_out(&api, &caller, task, &ConfigCommand::RollBackModel(task)).await
}

async fn carry_out(
    api: &Api,
    caller: &Caller,
    task: ModelTask,
    command: &ConfigCommand,
) -> Result<Json<TaskModelsDto>, Problem> {
    let outcome = api.commands.configure(&caller.next_context(api), command).await?;
    // Vectors are exchanged while the event is applied, which takes longer than other settings do.
    api.made(&outcome).await?;
    let known = api.queries.known_models().await?;
    let switches = api.queries.model_switches().await?;
    let switched = switches.iter().find(|switch| switch.task == task.as_str());
    Ok(Json(of_task(api, task, &known, switched).await?))
}

fn require_settings(api: &Api) -> Result<(), Problem> {
    if api.queries.live_settings().is_fixed() {
        return Err(Problem::bad_request(
            "The settings stand in a file: name the model there, and start the server again",
        ));
    }
    Ok(())
}

/// The model of a trial, as it is still there.
async fn tried(api: &Api, task: ModelTask, trial: &ModelTrialView) -> Result<ModelRef, Problem> {
    let model = identity(api, task, &trial.name).await;
    model.filter(|model| model.id() == trial.model_id).ok_or_else(|| {
        conflict(format!("{:?} is not there, or another model than when it was tried", trial.name))
    })
}

async fn require_complete(api: &Api, trial: &ModelTrialView) -> Result<(), Problem> {
    let missing = missing(api, trial).await?;
    if trial.is_finished() && trial.is_of_all() && missing == 0 {
        return Ok(());
    }
    Err(conflict(format!(
        "The trial of {:?} is {}, and {missing} assets lack its results: try it on all of them, or switch \
         incomplete",
        trial.name, trial.state
    )))
}
