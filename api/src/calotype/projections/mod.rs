//! `/calotype/projections`: how read models stand, and making them anew beside the live ones (docs/adr/0024).

mod dto;
mod orders;

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_projections::rebuild::Rebuild;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::dto::{ProjectionRebuild, ProjectionStatus};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_projections))
        .routes(routes!(
            orders::get_rebuild,
            orders::rebuild_projection,
            orders::change_rebuild,
            orders::discard_rebuild
        ))
        .routes(routes!(orders::diff_projection))
        .routes(routes!(orders::roll_back_projection))
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
    Ok(Json(statuses.into_iter().map(ProjectionStatus::from).collect()))
}

/// A rebuild as the server answers it, for commands that work without one.
///
/// # Errors
/// It is no JSON.
pub fn projection_rebuild(rebuild: Rebuild) -> Result<Value, serde_json::Error> {
    serde_json::to_value(ProjectionRebuild::from(rebuild))
}
