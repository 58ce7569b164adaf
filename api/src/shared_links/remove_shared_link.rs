//! `DELETE /shared-links/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::SharedLinkId;
use calotype_domain::permission::Permission;

use super::get_shared_links::own;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Makes a link open nothing. Whoever holds it is refused before this answers.
#[utoipa::path(
    delete, path = "/shared-links/{id}", tag = "Shared links", operation_id = "removeSharedLink",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn remove_shared_link(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::SharedLinkDelete)?;
    let link_id = path_uuid("id", &id)?;
    own(&api, &caller, link_id).await?;
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.revoke_shared_link(&context, by, SharedLinkId::new(link_id)).await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}
