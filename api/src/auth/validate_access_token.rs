//! `POST /auth/validateToken`: whether the credentials open anything.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;

/// That they do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValidateAccessTokenResponseDto {
    auth_status: bool,
}

/// Answers 401 unless the credentials are good; any API key may ask.
#[utoipa::path(
    post,
    path = "/auth/validateToken",
    operation_id = "validateAccessToken",
    tag = "Authentication",
    responses((status = 200, body = ValidateAccessTokenResponseDto)),
)]
pub(super) async fn validate_access_token(
    caller: Caller,
) -> Result<Json<ValidateAccessTokenResponseDto>, Problem> {
    if caller.link().is_some() {
        return Err(Problem::forbidden("Forbidden"));
    }
    Ok(Json(ValidateAccessTokenResponseDto { auth_status: true }))
}
