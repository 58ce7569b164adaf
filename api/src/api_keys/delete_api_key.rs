//! `DELETE /api-keys/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::ApiKeyId;
use calotype_domain::permission::Permission;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Makes one of the caller's keys open nothing.
#[utoipa::path(
    delete,
    path = "/api-keys/{id}",
    operation_id = "deleteApiKey",
    tag = "API keys",
    params(("id" = Uuid, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete_api_key(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::ApiKeyDelete)?;
    let api_key_id = ApiKeyId::new(path_uuid("id", &id)?);
    let outcome =
        api.commands.revoke_api_key(&caller.context(), caller.user_id(), api_key_id).await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}
