//! `PUT /queues/{name}`, and what any command does to a queue.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::queue::{BACKGROUND, QueueCommand, RerunScope, can_rerun};
use utoipa::ToSchema;

use super::dto::{QueueResponseDto, known, one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What somebody wants of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Start no new work.
    Pause,
    /// Go on.
    Resume,
    /// Do the work again: for every asset, or for those that lack it.
    Start {
        /// For every asset.
        force: bool,
    },
    /// Take off the queue what waits in it.
    Empty,
    /// Count as failed no longer what has failed.
    ClearFailed,
}

/// What changes about a queue.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct QueueUpdateDto {
    is_paused: Option<bool>,
}

/// Does to a queue what is wished and waits until it shows. A queue without work takes every wish.
pub(crate) async fn carry_out(
    api: &Api,
    caller: &Caller,
    name: &'static str,
    wish: Wish,
) -> Result<(), Problem> {
    let command = match wish {
        Wish::Pause => QueueCommand::Pause,
        Wish::Resume => QueueCommand::Resume,
        Wish::Empty if name == BACKGROUND => QueueCommand::Empty,
        Wish::Start { .. } | Wish::Empty | Wish::ClearFailed if !can_rerun(name) => {
            return Ok(());
        }
        Wish::Start { force: true } => QueueCommand::Rerun(RerunScope::All),
        Wish::Start { force: false } => QueueCommand::Rerun(RerunScope::Missing),
        Wish::Empty => QueueCommand::Empty,
        Wish::ClearFailed => QueueCommand::ClearFailures,
    };
    let context = caller.next_context(api);
    let outcome = api.commands.control_queue(&context, name, command).await?;
    api.seen(&outcome).await;
    Ok(())
}

/// Pauses a queue or lets it go on.
#[utoipa::path(
    put,
    path = "/queues/{name}",
    operation_id = "updateQueue",
    tag = "Queues",
    params(("name" = String, Path)),
    request_body = QueueUpdateDto,
    responses((status = 200, body = QueueResponseDto)),
)]
pub(super) async fn update_queue(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<QueueResponseDto>, Problem> {
    caller.require_admin(Permission::QueueUpdate)?;
    let name = known(&name)?;
    let mut fields = Fields::json(&body)?;
    let dto = QueueUpdateDto { is_paused: fields.boolean("isPaused") };
    fields.finish()?;
    match dto.is_paused {
        Some(true) if name == BACKGROUND => {
            return Err(Problem::bad_request(format!("The {name} queue cannot be paused")));
        }
        Some(true) => carry_out(&api, &caller, name, Wish::Pause).await?,
        Some(false) => carry_out(&api, &caller, name, Wish::Resume).await?,
        None => {}
    }
    Ok(Json(one(&api, name).await?))
}
