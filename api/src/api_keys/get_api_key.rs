//! `GET /api-keys`, `/api-keys/me` and `/api-keys/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::dto::{ApiKeyResponseDto, own_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Lists the caller's keys, newest first.
#[utoipa::path(
    get,
    path = "/api-keys",
    operation_id = "getApiKeys",
    tag = "API keys",
    responses((status = 200, body = Vec<ApiKeyResponseDto>)),
)]
pub(super) async fn get_api_keys(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ApiKeyResponseDto>>, Problem> {
    caller.require(Permission::ApiKeyRead)?;
    let rows = api.queries.api_keys_of(caller.user_id().uuid()).await?;
    Ok(Json(rows.into_iter().map(ApiKeyResponseDto::from).collect()))
}

/// The key of the request itself, whatever it may do.
#[utoipa::path(
    get,
    path = "/api-keys/me",
    operation_id = "getMyApiKey",
    tag = "API keys",
    responses((status = 200, body = ApiKeyResponseDto)),
)]
pub(super) async fn get_my_api_key(caller: Caller) -> Result<Json<ApiKeyResponseDto>, Problem> {
    let row = caller
        .api_key()
        .cloned()
        .ok_or_else(|| Problem::forbidden("Not authenticated with API Key"))?;
    Ok(Json(row.into()))
}

/// One of the caller's keys.
#[utoipa::path(
    get,
    path = "/api-keys/{id}",
    operation_id = "getApiKey",
    tag = "API keys",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ApiKeyResponseDto)),
)]
pub(super) async fn get_api_key(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ApiKeyResponseDto>, Problem> {
    caller.require(Permission::ApiKeyRead)?;
    let row = own_one(&api, &caller, path_uuid("id", &id)?).await?;
    Ok(Json(row.into()))
}
