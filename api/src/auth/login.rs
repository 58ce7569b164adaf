//! `POST /auth/login`: a session for an e-mail and its password.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use calotype_commands::{password, token};
use calotype_domain::UserId;
use calotype_domain::session::SessionOpened;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::cookies;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;
use crate::visit::Visit;

/// What somebody logs in with.
#[derive(ToSchema)]
pub(crate) struct LoginCredentialDto {
    #[schema(format = Email)]
    email: String,
    password: String,
}

impl LoginCredentialDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            email: fields.required_email("email"),
            password: fields.required_string("password"),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// The session's token and whose it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginResponseDto {
    access_token: String,
    user_id: Uuid,
    user_email: String,
    name: String,
    is_admin: bool,
    profile_image_path: String,
    should_change_password: bool,
    is_onboarded: bool,
}

/// Opens a session.
#[utoipa::path(
    post,
    path = "/auth/login",
    operation_id = "login",
    tag = "Authentication",
    security(()),
    request_body = LoginCredentialDto,
    responses((status = 201, body = LoginResponseDto)),
)]
pub(super) async fn login(
    State(api): State<Api>,
    visit: Visit,
    body: Bytes,
) -> Result<Response, Problem> {
    let dto = LoginCredentialDto::parse(&body)?;
    if !api.queries.settings().await?.is_on("passwordLogin.enabled") {
        return Err(Problem::unauthorized("Password login has been disabled"));
    }
    let attempt = api.logins.begin(visit.peer.address, &dto.email)?;
    let user = api.queries.user_by_email(&dto.email).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = password::verify(dto.password, hash).await;
    attempt.end(is_right)?;
    let user = user
        .filter(|_| is_right)
        .ok_or_else(|| Problem::unauthorized("Incorrect email or password"))?;

    let user_id = UserId::new(user.user_id);
    let access_token = token::generate();
    let opened = SessionOpened {
        user_id,
        token_sha256: token::digest(&access_token),
        device: visit.device.clone().into(),
        expires_at: None,
        parent_id: None,
    };
    let ctx = visit.context_of(&api, user_id);
    let (_, outcome) = api.commands.open_session(&ctx, opened).await?;
    api.made(&outcome).await?;

    let cookies = cookies::remember(&access_token, visit.peer.is_https, ctx.now)
        .map_err(|error| Problem::internal(&error))?;
    let answer = LoginResponseDto {
        access_token,
        user_id: user.user_id,
        user_email: user.email,
        name: user.name,
        is_admin: user.is_admin,
        profile_image_path: user.profile_image_key.unwrap_or_default(),
        should_change_password: user.should_change_password,
        is_onboarded: user.is_onboarded,
    };
    Ok((StatusCode::CREATED, cookies, Json(answer)).into_response())
}
