//! `GET /calotype/parked`: what got stuck and waits for somebody.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_projections::parked::Parked;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// One event that could not be applied, or that waits behind one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParkedEvent {
    /// `projection` or `processor`.
    kind: String,
    /// Whose work it is.
    name: String,
    stream_id: String,
    event_id: Uuid,
    position: i64,
    code: String,
    reason: String,
    attempts: i32,
    parked_at: String,
}

impl From<Parked> for ParkedEvent {
    fn from(parked: Parked) -> Self {
        Self {
            kind: parked.kind,
            name: parked.name,
            stream_id: parked.stream_id,
            event_id: parked.event_id,
            position: parked.position,
            code: parked.code,
            reason: parked.reason,
            attempts: parked.attempts,
            parked_at: dates::iso(parked.parked_at),
        }
    }
}

/// Lists what is parked, oldest first; at most a thousand.
#[utoipa::path(
    get,
    path = "/calotype/parked",
    operation_id = "getParked",
    tag = "Calotype",
    responses((status = 200, body = Vec<ParkedEvent>)),
)]
pub(super) async fn get_parked(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ParkedEvent>>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(api.queries.parked().await?.into_iter().map(ParkedEvent::from).collect()))
}
