//! `GET /auth/status`: by what the caller is known.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// What the session may do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthStatusResponseDto {
    /// Whether a PIN is set.
    pin_code: bool,
    /// Whether a password is set.
    password: bool,
    /// Whether the PIN was given lately.
    is_elevated: bool,
    /// When the session ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Until when the PIN that was given opens what is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pin_expires_at: Option<String>,
}

/// Says by what the caller is known.
#[utoipa::path(
    get,
    path = "/auth/status",
    operation_id = "getAuthStatus",
    tag = "Authentication",
    responses((status = 200, body = AuthStatusResponseDto)),
)]
pub(super) async fn get_auth_status(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<AuthStatusResponseDto>, Problem> {
    caller.require(Permission::All)?;
    // The remembered caller may be a few seconds old, and a password may have been set meanwhile.
    let user = api.queries.user(caller.user_id().uuid()).await?;
    let pin_hash = api.queries.pin_hash_of(caller.user_id().uuid()).await?;
    let session = caller.session();
    Ok(Json(AuthStatusResponseDto {
        pin_code: pin_hash.is_some(),
        password: user.is_some_and(|user| user.password_hash.is_some()),
        is_elevated: caller.is_elevated(),
        expires_at: session.and_then(|session| session.expires_at).map(dates::iso),
        pin_expires_at: session.and_then(|session| session.elevated_until).map(dates::iso),
    }))
}
