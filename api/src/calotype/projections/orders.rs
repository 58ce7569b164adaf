//! `/calotype/projections/{name}/rebuild`, `/diff` and `/rollback`: beginning, watching, pausing and giving up.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_projections::ProjectionError;
use calotype_projections::rebuild::{Rebuild, State as RebuildState, Wish};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::dto::ProjectionRebuild;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The most events a second that somebody may wish for.
const EVENTS_PER_SECOND_MAX: i64 = 1_000_000;
/// How long an answer waits for the end, unless it is not to wait; then it says how far it is.
const WAIT_MAX: Duration = Duration::from_secs(50);
/// How often is looked for the end, at first and at last.
const POLL_MIN: Duration = Duration::from_millis(10);
const POLL_MAX: Duration = Duration::from_millis(500);

/// How a rebuild is to be done.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct StartRebuildDto {
    /// The most events a second that it may take; without it as many as it can.
    #[schema(minimum = 1, maximum = 1_000_000)]
    events_per_second_max: Option<u32>,
}

/// What is to change about a rebuild.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct ChangeRebuildDto {
    /// Whether it stands still. What stopped at an event tries it again when it is resumed.
    is_paused: Option<bool>,
    /// The most events a second that it may take; `null` for as many as it can.
    #[schema(minimum = 1, maximum = 1_000_000)]
    events_per_second_max: Option<u32>,
}

/// Builds a projection anew from the log, beside the live one, and switches to it.
#[utoipa::path(
    post,
    path = "/calotype/projections/{name}/rebuild",
    operation_id = "rebuildProjection",
    tag = "Calotype",
    params(("name" = String, Path), ("wait" = Option<bool>, Query,
        description = "Whether the answer waits for the end, 50 seconds at most; it does unless this says no")),
    request_body = Option<StartRebuildDto>,
    responses((status = 200, body = ProjectionRebuild)),
)]
pub(super) async fn rebuild_projection(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Json<ProjectionRebuild>, Problem> {
    caller.require_admin(Permission::All)?;
    start(&api, &name, query.as_deref(), &body, Wish::Rebuild).await
}

/// Builds a projection beside the live one, says what would change, and drops what was built.
#[utoipa::path(
    post,
    path = "/calotype/projections/{name}/diff",
    operation_id = "diffProjection",
    tag = "Calotype",
    params(("name" = String, Path), ("wait" = Option<bool>, Query,
        description = "Whether the answer waits for the end, 50 seconds at most; it does unless this says no")),
    request_body = Option<StartRebuildDto>,
    responses((status = 200, body = ProjectionRebuild)),
)]
pub(super) async fn diff_projection(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Json<ProjectionRebuild>, Problem> {
    caller.require_admin(Permission::All)?;
    start(&api, &name, query.as_deref(), &body, Wish::Diff).await
}

/// Switches back to the generation that was live before the last switch, once it has taken in what came since.
#[utoipa::path(
    post,
    path = "/calotype/projections/{name}/rollback",
    operation_id = "rollBackProjection",
    tag = "Calotype",
    params(("name" = String, Path), ("wait" = Option<bool>, Query,
        description = "Whether the answer waits for the end, 50 seconds at most; it does unless this says no")),
    request_body = Option<StartRebuildDto>,
    responses((status = 200, body = ProjectionRebuild)),
)]
pub(super) async fn roll_back_projection(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Json<ProjectionRebuild>, Problem> {
    caller.require_admin(Permission::All)?;
    start(&api, &name, query.as_deref(), &body, Wish::Rollback).await
}

/// Says how far the last rebuild, diff or rollback of a projection is, or what came of it.
#[utoipa::path(
    get,
    path = "/calotype/projections/{name}/rebuild",
    operation_id = "getProjectionRebuild",
    tag = "Calotype",
    params(("name" = String, Path)),
    responses((status = 200, body = ProjectionRebuild)),
)]
pub(super) async fn get_rebuild(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ProjectionRebuild>, Problem> {
    caller.require_admin(Permission::All)?;
    last(&api, &name).await.map(|rebuild| Json(rebuild.into()))
}

/// Pauses or resumes a rebuild, or says how fast it may be.
#[utoipa::path(
    put,
    path = "/calotype/projections/{name}/rebuild",
    operation_id = "changeProjectionRebuild",
    tag = "Calotype",
    params(("name" = String, Path)),
    request_body = ChangeRebuildDto,
    responses((status = 200, body = ProjectionRebuild)),
)]
pub(super) async fn change_rebuild(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<ProjectionRebuild>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let is_paused = fields.boolean("isPaused");
    let is_unlimited = fields.is_null("eventsPerSecondMax");
    let limit = if is_unlimited { None } else { limit(&mut fields) };
    fields.finish()?;
    let limit = if is_unlimited { Some(None) } else { limit.map(Some) };
    api.queries.change_rebuild(&name, is_paused, limit).await.map_err(refused)?;
    last(&api, &name).await.map(|rebuild| Json(rebuild.into()))
}

/// Gives up what is under way, or else drops the generation that was live before the last switch.
#[utoipa::path(
    delete,
    path = "/calotype/projections/{name}/rebuild",
    operation_id = "discardProjectionRebuild",
    tag = "Calotype",
    params(("name" = String, Path)),
    responses((status = 200, body = ProjectionRebuild)),
)]
pub(super) async fn discard_rebuild(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ProjectionRebuild>, Problem> {
    caller.require_admin(Permission::All)?;
    api.queries.discard_rebuild(&name).await.map_err(refused)?;
    last(&api, &name).await.map(|rebuild| Json(rebuild.into()))
}

async fn start(
    api: &Api,
    name: &str,
    query: Option<&str>,
    body: &Bytes,
    wish: Wish,
) -> Result<Json<ProjectionRebuild>, Problem> {
    let mut fields = Fields::query(query);
    let waits = fields.boolean("wait").unwrap_or(true);
    fields.finish()?;
    let mut fields = Fields::json(body)?;
    let limit = limit(&mut fields);
    fields.finish()?;
    api.queries.start_rebuild(name, wish, limit).await.map_err(refused)?;
    let deadline = Instant::now() + if waits { WAIT_MAX } else { Duration::ZERO };
    let mut poll = POLL_MIN;
    loop {
        let rebuild = last(api, name).await?;
        if rebuild.state != RebuildState::Running || Instant::now() >= deadline {
            if rebuild.comparison.as_ref().is_none_or(|compared| !compared.is_same()) {
                // Every process hears of it within a second; whoever waited for this answer looks now.
                api.forget_read_models();
            }
            return Ok(Json(rebuild.into()));
        }
        tokio::time::sleep(poll).await;
        poll = (poll * 2).min(POLL_MAX);
    }
}

fn limit(fields: &mut Fields) -> Option<u32> {
    let limit = fields.integer("eventsPerSecondMax", 1, EVENTS_PER_SECOND_MAX)?;
    u32::try_from(limit).ok()
}

async fn last(api: &Api, name: &str) -> Result<Rebuild, Problem> {
    let rebuild = api.queries.rebuild_of(name).await.map_err(refused)?;
    rebuild.ok_or_else(|| Problem::not_found(format!("{name} was never rebuilt")))
}

fn refused(error: ProjectionError) -> Problem {
    match &error {
        ProjectionError::UnknownProjection { .. } => Problem::not_found(error.to_string()),
        ProjectionError::UnderWay { .. }
        | ProjectionError::NotUnderWay { .. }
        | ProjectionError::NothingBuilt { .. }
        | ProjectionError::OtherShape { .. } => {
            Problem::new(StatusCode::CONFLICT, error.to_string())
        }
        _ => error.into(),
    }
}
