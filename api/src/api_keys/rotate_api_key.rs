//! `POST /api-keys/{id}/rotate`, of release 3.2.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_commands::token;
use calotype_domain::ApiKeyId;
use calotype_domain::permission::Permission;

use super::create_api_key::ApiKeyCreateResponseDto;
use super::dto::{own_one, require_grantable};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Gives one of the caller's keys another secret, shown this once; the former one opens nothing any more.
///
/// The catalogue of permissions of 3.1 has none for this: a key needs `all`.
#[utoipa::path(
    post,
    path = "/api-keys/{id}/rotate",
    operation_id = "rotateApiKey",
    tag = "API keys",
    params(("id" = Uuid, Path)),
    responses((status = 201, body = ApiKeyCreateResponseDto)),
)]
pub(super) async fn rotate_api_key(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<ApiKeyCreateResponseDto>), Problem> {
    caller.require(Permission::All)?;
    let id = path_uuid("id", &id)?;
    let key = own_one(&api, &caller, id).await?;
    let permissions: Vec<Permission> =
        key.permissions.iter().filter_map(|word| word.parse().ok()).collect();
    require_grantable(&caller, &permissions)?;
    let secret = token::generate();
    let (by, digest) = (caller.user_id(), token::digest(&secret));
    let context = caller.context();
    let outcome = api.commands.rotate_api_key(&context, by, ApiKeyId::new(id), digest).await?;
    api.surely_seen(&outcome).await?;
    let api_key = own_one(&api, &caller, id).await?.into();
    Ok((StatusCode::CREATED, Json(ApiKeyCreateResponseDto { secret, api_key })))
}
