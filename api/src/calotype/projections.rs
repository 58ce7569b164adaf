//! `GET /calotype/projections` and `POST /calotype/projections/{name}/rebuild`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_projections::ProjectionError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// How a projection stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectionStatus {
    name: String,
    version: u16,
    /// The position of the log it has applied.
    position: i64,
    /// Events it has not applied yet.
    lag_events: i64,
    /// Streams it could not apply.
    parked_streams: i64,
}

/// What a rebuild did.
#[derive(Serialize, ToSchema)]
pub(crate) struct RebuiltProjection {
    name: String,
    /// Events read from the log.
    events: u64,
    /// The position it stands at.
    position: i64,
}

/// Says how every projection stands.
#[utoipa::path(
    get,
    path = "/calotype/projections",
    operation_id = "getProjections",
    tag = "Calotype",
    responses((status = 200, body = Vec<ProjectionStatus>)),
)]
pub(super) async fn get_projections(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ProjectionStatus>>, Problem> {
    caller.require_admin(Permission::All)?;
    let statuses = api.queries.projections().await?;
    Ok(Json(
        statuses
            .into_iter()
            .map(|status| ProjectionStatus {
                name: status.name,
                version: status.version,
                position: status.position,
                lag_events: status.lag_events,
                parked_streams: status.parked_streams,
            })
            .collect(),
    ))
}

/// Makes a projection's tables anew from the log; the live ones answer until it is done.
#[utoipa::path(
    post,
    path = "/calotype/projections/{name}/rebuild",
    operation_id = "rebuildProjection",
    tag = "Calotype",
    params(("name" = String, Path)),
    responses((status = 200, body = RebuiltProjection)),
)]
pub(super) async fn rebuild_projection(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<RebuiltProjection>, Problem> {
    caller.require_admin(Permission::All)?;
    let rebuilt = api.queries.rebuild(&name).await.map_err(|error| match error {
        ProjectionError::UnknownProjection { .. } => Problem::not_found(error.to_string()),
        other => other.into(),
    })?;
    Ok(Json(RebuiltProjection {
        name: rebuilt.name,
        events: rebuilt.events,
        position: rebuilt.position,
    }))
}
