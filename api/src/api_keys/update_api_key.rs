//! `PUT /api-keys/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::ApiKeyId;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::{ApiKeyResponseDto, own_one, permissions, require_grantable};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about a key.
#[derive(ToSchema)]
pub(crate) struct ApiKeyUpdateDto {
    name: Option<String>,
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    permissions: Option<Vec<Permission>>,
}

impl ApiKeyUpdateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self { name: fields.string("name"), permissions: permissions(&mut fields) };
        fields.finish()?;
        Ok(dto)
    }
}

/// Changes the name or the permissions of one of the caller's keys.
#[utoipa::path(
    put,
    path = "/api-keys/{id}",
    operation_id = "updateApiKey",
    tag = "API keys",
    params(("id" = Uuid, Path)),
    request_body = ApiKeyUpdateDto,
    responses((status = 200, body = ApiKeyResponseDto)),
)]
pub(super) async fn update_api_key(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<ApiKeyResponseDto>, Problem> {
    caller.require(Permission::ApiKeyUpdate)?;
    let api_key_id = path_uuid("id", &id)?;
    let dto = ApiKeyUpdateDto::parse(&body)?;
    own_one(&api, &caller, api_key_id).await?;
    require_grantable(&caller, dto.permissions.as_deref().unwrap_or_default())?;
    let outcome = api
        .commands
        .change_api_key(
            &caller.context(),
            caller.user_id(),
            ApiKeyId::new(api_key_id),
            dto.name,
            dto.permissions,
        )
        .await?;
    api.surely_seen(&outcome).await?;
    Ok(Json(own_one(&api, &caller, api_key_id).await?.into()))
}
