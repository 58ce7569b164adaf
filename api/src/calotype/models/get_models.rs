//! `GET /calotype/models`: of each task the model in use, the others that are there, and who said what.

use axum::Json;
use axum::extract::State;
use calotype_domain::ModelTask;
use calotype_domain::permission::Permission;
use calotype_projections::models::{KnownModel, ModelSwitch};
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::{ModelIdentityDto, ModelResultsDto};
use super::identity;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// The models of one task.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskModelsDto {
    /// `smartSearch`, `facialRecognition` or `ocr`.
    task: String,
    /// The name that the model is asked by: the setting.
    name: String,
    /// Which model that is now; none where it is not there.
    #[schema(required)]
    model: Option<ModelIdentityDto>,
    /// The models on this machine.
    installed: Vec<InstalledModelDto>,
    /// Who said something, and of how many assets.
    results: Vec<ModelResultsDto>,
    /// The last switch.
    #[schema(required)]
    switched: Option<ModelSwitchDto>,
}

/// A model that is there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstalledModelDto {
    /// The name that it is asked by.
    name: String,
    #[schema(required)]
    model: Option<ModelIdentityDto>,
    /// Whether it is the one in use.
    is_in_use: bool,
}

/// The last switch of a task's model.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelSwitchDto {
    /// The name that the model is asked by.
    name: String,
    switched_at: String,
    /// Whether it was a way back.
    is_rollback: bool,
    /// Whether there is a way back.
    can_roll_back: bool,
    /// Assets whose texts or faces have followed.
    followed: i64,
    /// Whether all have.
    is_followed: bool,
}

/// Says which models there are, which are in use, and of how many assets each has said something.
#[utoipa::path(
    get,
    path = "/calotype/models",
    operation_id = "getModels",
    tag = "Calotype",
    responses((status = 200, body = Vec<TaskModelsDto>)),
)]
pub(super) async fn get_models(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<TaskModelsDto>>, Problem> {
    caller.require_admin(Permission::All)?;
    let known = api.queries.known_models().await?;
    let switches = api.queries.model_switches().await?;
    let mut tasks = Vec::new();
    for task in ModelTask::ALL {
        let switched = switches.iter().find(|switch| switch.task == task.as_str());
        tasks.push(of_task(&api, task, &known, switched).await?);
    }
    Ok(Json(tasks))
}

/// The models of one task.
///
/// # Errors
/// What the database said.
pub(super) async fn of_task(
    api: &Api,
    task: ModelTask,
    known: &[KnownModel],
    switched: Option<&ModelSwitch>,
) -> Result<TaskModelsDto, Problem> {
    let settings = api.queries.settings().await?;
    let name = settings.text(task.setting()).to_owned();
    let used = identity(api, task, &name).await;
    let mut installed = Vec::new();
    let names = match &api.models {
        Some(models) => models.installed(task).await,
        None => Vec::new(),
    };
    for name in names {
        let model = identity(api, task, &name).await;
        let is_in_use = model.is_some() && model == used;
        installed.push(InstalledModelDto { name, model: model.map(Into::into), is_in_use });
    }
    let switched = match switched {
        Some(switch) => Some(told(api, switch).await?),
        None => None,
    };
    let of_it = known.iter().filter(|known| known.task == task.as_str());
    Ok(TaskModelsDto {
        task: task.as_str().to_owned(),
        name,
        model: used.map(Into::into),
        installed,
        results: of_it.map(ModelResultsDto::from).collect(),
        switched,
    })
}

async fn told(api: &Api, switch: &ModelSwitch) -> Result<ModelSwitchDto, Problem> {
    let (followed, is_followed) = api.queries.followed(switch.event_id).await?.unwrap_or_default();
    Ok(ModelSwitchDto {
        name: switch.name.clone(),
        switched_at: dates::iso(switch.switched_at),
        is_rollback: switch.is_rollback,
        can_roll_back: switch.can_roll_back,
        followed,
        is_followed,
    })
}
