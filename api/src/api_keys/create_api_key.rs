//! `POST /api-keys`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::token;
use calotype_domain::api_key::ApiKeyCreated;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::{ApiKeyResponseDto, own_one, permissions, require_grantable};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What a key without a name is called.
const DEFAULT_NAME: &str = "API Key";

/// Name and permissions of a new key.
#[derive(ToSchema)]
pub(crate) struct ApiKeyCreateDto {
    name: Option<String>,
    #[schema(value_type = Vec<String>, min_items = 1)]
    permissions: Vec<Permission>,
}

impl ApiKeyCreateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let name = fields.string("name");
        if !fields.has("permissions") {
            fields.missing("array", "permissions");
        }
        let permissions = permissions(&mut fields).unwrap_or_default();
        fields.finish()?;
        Ok(Self { name, permissions })
    }
}

/// The new key and its secret, shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyCreateResponseDto {
    pub(super) secret: String,
    pub(super) api_key: ApiKeyResponseDto,
}

/// Makes a key that may do no more than who makes it.
#[utoipa::path(
    post,
    path = "/api-keys",
    operation_id = "createApiKey",
    tag = "API keys",
    request_body = ApiKeyCreateDto,
    responses((status = 201, body = ApiKeyCreateResponseDto)),
)]
pub(super) async fn create_api_key(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<ApiKeyCreateResponseDto>), Problem> {
    caller.require(Permission::ApiKeyCreate)?;
    let dto = ApiKeyCreateDto::parse(&body)?;
    require_grantable(&caller, &dto.permissions)?;
    let secret = token::generate();
    let created = ApiKeyCreated {
        user_id: caller.user_id(),
        secret_sha256: token::digest(&secret),
        name: dto.name.unwrap_or_else(|| DEFAULT_NAME.to_owned()).into(),
        permissions: dto.permissions,
    };
    let (api_key_id, outcome) = api.commands.create_api_key(&caller.context(), created).await?;
    api.made(&outcome).await?;
    let api_key = own_one(&api, &caller, api_key_id.uuid()).await?.into();
    Ok((StatusCode::CREATED, Json(ApiKeyCreateResponseDto { secret, api_key })))
}
