//! `/calotype/people/reclustering`: what comparing all faces anew would change, and agreeing to it or not
//! (docs/adr/0034).

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use calotype_domain::EventId;
use calotype_domain::permission::Permission;
use calotype_domain::queue::{Queue, QueueCommand, RECOGNITION};
use calotype_projections::models::FaceProposal;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::models::diff::{EXAMPLES, EXAMPLES_MAX, FacesDiffDto};
use super::models::dto::ModelIdentityDto;
use super::models::trials::conflict;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_reclustering, begin_reclustering))
        .routes(routes!(discard_reclustering))
        .routes(routes!(apply_reclustering))
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReclusteringState {
    /// Faces are being compared.
    Comparing,
    /// It waits for somebody to agree to it or not.
    Proposed,
    /// Somebody agreed to it; it is being recorded.
    Applying,
    /// It was recorded.
    Applied,
    /// Nobody agreed to it, or everything was done anew since.
    Discarded,
}

/// Whose faces would be if all of them were compared anew by the model in use.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReclusteringDto {
    id: Uuid,
    state: ReclusteringState,
    /// Whose vectors are compared; none before that is begun.
    #[schema(required)]
    model: Option<ModelIdentityDto>,
    /// When all libraries had been compared.
    #[schema(required)]
    compared_at: Option<String>,
    /// When everything was recorded that somebody agreed to.
    #[schema(required)]
    applied_at: Option<String>,
    /// What would change, or was to change when it was compared.
    #[schema(required)]
    faces: Option<FacesDiffDto>,
}

impl ReclusteringDto {
    fn begun(id: EventId) -> Self {
        let state = ReclusteringState::Comparing;
        let (compared_at, applied_at) = (None, None);
        Self { id: id.uuid(), state, model: None, compared_at, applied_at, faces: None }
    }
}

/// The last proposal, with what it would change in numbers and by examples.
#[utoipa::path(
    get,
    path = "/calotype/people/reclustering",
    operation_id = "getReclustering",
    tag = "Calotype",
    params(("examples" = Option<u32>, Query, description = "How many examples of each kind.")),
    responses((status = 200, body = ReclusteringDto)),
)]
pub(super) async fn get_reclustering(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<ReclusteringDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::query(query.as_deref());
    let examples = fields.integer("examples", 1, EXAMPLES_MAX).unwrap_or(EXAMPLES);
    fields.finish()?;
    told(&api, examples).await?.map(Json).ok_or_else(nothing)
}

/// Compares all faces anew, and keeps the outcome for somebody to agree to. A former proposal is forgotten for it.
#[utoipa::path(
    post,
    path = "/calotype/people/reclustering",
    operation_id = "beginReclustering",
    tag = "Calotype",
    responses((status = 201, body = ReclusteringDto)),
)]
pub(super) async fn begin_reclustering(
    State(api): State<Api>,
    caller: Caller,
) -> Result<(StatusCode, Json<ReclusteringDto>), Problem> {
    caller.require_admin(Permission::All)?;
    let settings = api.queries.settings().await?;
    let is_on = settings.is_on("machineLearning.enabled")
        && settings.is_on("machineLearning.facialRecognition.enabled");
    if !is_on {
        return Err(conflict("Faces are not told apart: facial recognition is switched off"));
    }
    let accepted = api.commands.queue(RECOGNITION).await?.accepted();
    if accepted.is_some_and(|(_, is_open)| is_open) {
        return Err(conflict("A proposal is being recorded; wait until that is done"));
    }
    let command = QueueCommand::Propose;
    let outcome = api.commands.control_queue(&caller.context(), RECOGNITION, command).await?;
    api.made(&outcome).await?;
    let proposal_id = api.commands.queue(RECOGNITION).await?.proposal();
    let begun = proposal_id.map(ReclusteringDto::begun).ok_or_else(Problem::unavailable)?;
    Ok((StatusCode::CREATED, Json(begun)))
}

/// Records what was proposed, as far as nobody said anything else of these faces since.
#[utoipa::path(
    post,
    path = "/calotype/people/reclustering/{id}/apply",
    operation_id = "applyReclustering",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ReclusteringDto)),
)]
pub(super) async fn apply_reclustering(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ReclusteringDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let proposal_id = proposal(&id)?;
    let known = told(&api, 1).await?.filter(|it| it.id == proposal_id).ok_or_else(nothing)?;
    match known.state {
        ReclusteringState::Proposed => {}
        ReclusteringState::Applying | ReclusteringState::Applied => return Ok(Json(known)),
        ReclusteringState::Comparing => return Err(conflict("Faces are still being compared")),
        ReclusteringState::Discarded => return Err(conflict("The proposal was discarded")),
    }
    let command = QueueCommand::Accept(EventId::new(proposal_id));
    let outcome = api.commands.control_queue(&caller.context(), RECOGNITION, command).await?;
    api.made(&outcome).await?;
    told(&api, EXAMPLES).await?.map(Json).ok_or_else(nothing)
}

/// Does not agree to what was proposed; also while faces are still being compared.
#[utoipa::path(
    delete,
    path = "/calotype/people/reclustering/{id}",
    operation_id = "discardReclustering",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 204)),
)]
pub(super) async fn discard_reclustering(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::All)?;
    let proposal_id = proposal(&id)?;
    let known = told(&api, 1).await?.filter(|it| it.id == proposal_id).ok_or_else(nothing)?;
    if matches!(known.state, ReclusteringState::Applying | ReclusteringState::Applied) {
        return Err(conflict("The proposal was agreed to"));
    }
    let command = QueueCommand::Discard(EventId::new(proposal_id));
    let outcome = api.commands.control_queue(&caller.context(), RECOGNITION, command).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The last proposal, also one that is only asked for.
async fn told(api: &Api, examples: i64) -> Result<Option<ReclusteringDto>, Problem> {
    let queue = api.commands.queue(RECOGNITION).await?;
    let made = api.queries.face_proposal().await?;
    let Some(made) = made.filter(|made| !is_waited_for(&queue, made.proposal_id)) else {
        let asked = queue.proposal().filter(|id| queue.is_open(*id));
        return Ok(asked.map(ReclusteringDto::begun));
    };
    let state = state(&queue, &made);
    let faces = match made.compared_at {
        Some(_) => Some(api.queries.faces_diff(made.proposal_id, examples).await?.into()),
        None => None,
    };
    let FaceProposal { proposal_id, compared_at, applied_at, .. } = made;
    let (name, revision) = (made.model_name, made.model_revision);
    Ok(Some(ReclusteringDto {
        id: proposal_id,
        state,
        model: Some(ModelIdentityDto { name, revision, sha256: made.model_sha256 }),
        compared_at: compared_at.map(dates::iso),
        applied_at: applied_at.map(dates::iso),
        faces,
    }))
}

/// Whether another proposal is asked for than the one that is there.
fn is_waited_for(queue: &Queue, made: Uuid) -> bool {
    queue.proposal().is_some_and(|id| id.uuid() != made && queue.is_open(id))
}

/// The queue is to be asked before the proposal: what is recorded is marked before the queue says that it is done.
fn state(queue: &Queue, made: &FaceProposal) -> ReclusteringState {
    let id = EventId::new(made.proposal_id);
    let accepted = queue.accepted().filter(|(proposal_id, _)| *proposal_id == id);
    match accepted {
        Some((_, true)) => ReclusteringState::Applying,
        Some(_) if made.applied_at.is_some() => ReclusteringState::Applied,
        None if queue.proposal() == Some(id) && made.compared_at.is_some() => {
            ReclusteringState::Proposed
        }
        // What ended without an outcome was given up: faces are not told apart any more.
        None if queue.proposal() == Some(id) && queue.is_open(id) => ReclusteringState::Comparing,
        _ => ReclusteringState::Discarded,
    }
}

/// The proposal that a path names: by the id of an event, which is of another version than those of objects.
fn proposal(id: &str) -> Result<Uuid, Problem> {
    id.parse().map_err(|_| nothing())
}

fn nothing() -> Problem {
    Problem::not_found("Nothing is proposed; begin with POST /calotype/people/reclustering")
}
