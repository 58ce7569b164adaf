//! `POST /libraries/{id}/scan`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::LibraryId;
use calotype_domain::library::LibraryCommand;
use calotype_domain::permission::Permission;

use super::dto::load;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Asks for a look at all files of a library; does not wait for it.
#[utoipa::path(
    post, path = "/libraries/{id}/scan", tag = "Libraries", operation_id = "scanLibrary",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn scan_library(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::LibraryUpdate)?;
    let row = load(&api, &id).await?;
    let library_id = LibraryId::new(row.library_id);
    let outcome = api
        .commands
        .command_library(&caller.context(), library_id, &LibraryCommand::RequestScan)
        .await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
