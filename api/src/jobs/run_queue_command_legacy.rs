//! `PUT /jobs/{name}`: a command to a queue.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::queues_legacy::QueueResponseLegacyDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::queues::dto::{known, one};
use crate::queues::{Wish, carry_out};
use crate::state::Api;
use crate::validate::Fields;

const COMMANDS: [&str; 5] = ["start", "pause", "resume", "empty", "clear-failed"];

/// The command.
#[derive(ToSchema)]
pub(crate) struct QueueCommandDto {
    /// `start`, `pause`, `resume`, `empty` or `clear-failed`.
    command: String,
    /// With `start`: for every asset, not only for those that lack it.
    force: Option<bool>,
}

/// Commands a queue.
#[utoipa::path(
    put,
    path = "/jobs/{name}",
    operation_id = "runQueueCommandLegacy",
    tag = "Jobs",
    params(("name" = String, Path)),
    request_body = QueueCommandDto,
    responses((status = 200, body = QueueResponseLegacyDto)),
)]
pub(super) async fn run_queue_command_legacy(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<QueueResponseLegacyDto>, Problem> {
    caller.require_admin(Permission::JobCreate)?;
    let name = known(&name)?;
    let mut fields = Fields::json(&body)?;
    let dto = QueueCommandDto {
        command: fields.required_option("command", &COMMANDS),
        force: fields.boolean("force"),
    };
    fields.finish()?;
    match dto.command.as_str() {
        "start" if one(&api, name).await?.statistics.active > 0 => {
            return Err(Problem::bad_request("Job is already running"));
        }
        "start" => {
            let force = dto.force.unwrap_or_default();
            carry_out(&api, &caller, name, Wish::Start { force }).await?;
        }
        "pause" => carry_out(&api, &caller, name, Wish::Pause).await?,
        "resume" => carry_out(&api, &caller, name, Wish::Resume).await?,
        "empty" => carry_out(&api, &caller, name, Wish::Empty).await?,
        _ => carry_out(&api, &caller, name, Wish::ClearFailed).await?,
    }
    Ok(Json((&one(&api, name).await?).into()))
}
