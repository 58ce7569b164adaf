//! `/calotype/models`: which models there are, trying one beside the one in use, what it would change, switching to
//! it and the way back (docs/adr/0027).

pub(super) mod diff;
pub(super) mod dto;
mod get_models;
mod switch;
pub(super) mod trials;

use calotype_domain::ModelTask;
use calotype_domain::model::ModelRef;
use calotype_projections::models::ModelTrialView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What models are asked for, as bodies name it.
const TASKS: [&str; 3] = ["smartSearch", "facialRecognition", "ocr"];
/// The longest name of a model that is taken, in characters.
const NAME_CHARS_MAX: usize = 200;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_models::get_models))
        .routes(routes!(trials::get_model_trials, trials::begin_model_trial))
        .routes(routes!(trials::cancel_model_trial))
        .routes(routes!(diff::compare_models))
        .routes(routes!(switch::switch_model))
        .routes(routes!(switch::roll_back_model))
}

/// The task of a body.
fn task(fields: &mut Fields) -> ModelTask {
    let name = fields.required_option("task", &TASKS);
    ModelTask::named(&name).unwrap_or(ModelTask::SmartSearch)
}

/// Which model answers to a name now.
async fn identity(api: &Api, task: ModelTask, name: &str) -> Option<ModelRef> {
    api.models.as_ref()?.identity(task, name).await
}

/// The trial of a task's model that tells most: of the name, or else of the model that was tried last, the last that
/// was finished over everything, else the last.
async fn best_trial(
    api: &Api,
    task: ModelTask,
    name: Option<&str>,
) -> Result<ModelTrialView, Problem> {
    let trials = api.queries.model_trials().await?;
    let mut of_task = trials.iter().filter(|trial| trial.task == task.as_str());
    let last = of_task.find(|trial| name.is_none_or(|name| trial.name == name));
    let Some(last) = last else {
        return Err(Problem::not_found("No such model was tried; begin a trial of it first"));
    };
    let mut of_it = trials.iter().filter(|it| it.task == last.task && it.model_id == last.model_id);
    let whole = of_it.find(|trial| trial.is_finished() && trial.is_of_all());
    Ok(whole.unwrap_or(last).clone())
}
