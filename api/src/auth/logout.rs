//! `POST /auth/logout`: closes the caller's session and clears its cookies.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::cookies;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sessions::close;
use crate::state::Api;

/// Where to go from here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogoutResponseDto {
    successful: bool,
    redirect_uri: &'static str,
}

/// Closes the session of the request.
#[utoipa::path(
    post,
    path = "/auth/logout",
    operation_id = "logout",
    tag = "Authentication",
    responses((status = 200, body = LogoutResponseDto)),
)]
pub(super) async fn logout(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    caller.require(Permission::All)?;
    if let Some(session) = caller.session() {
        close::with_children(&api, &caller, session.session_id).await?;
    }
    let cookies = cookies::forget().map_err(|error| Problem::internal(&error))?;
    let answer = LogoutResponseDto { successful: true, redirect_uri: "/auth/login?autoLaunch=0" };
    Ok((cookies, Json(answer)).into_response())
}
