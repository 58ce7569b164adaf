//! `DELETE /tags/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::TagId;
use calotype_domain::permission::Permission;

use super::dto::own_one;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Deletes one of the caller's tags and all that stand under it.
#[utoipa::path(
    delete, path = "/tags/{id}", tag = "Tags", operation_id = "deleteTag",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_tag(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::TagDelete)?;
    let id = path_uuid("id", &id)?;
    own_one(&api, &caller, Permission::TagDelete, id).await?;
    let tree = api.queries.tag_tree(id).await?;
    let tag_ids: Vec<TagId> = tree.into_iter().map(TagId::new).collect();
    let outcome = api.commands.delete_tags(&caller.context(), caller.user_id(), &tag_ids).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
