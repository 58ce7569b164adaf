//! `POST /auth/admin-sign-up`: the first account, once.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::password;
use calotype_domain::user::{Profile, UserRegistered};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::Api;
use crate::users::avatar;
use crate::users::dto::UserAdminResponseDto;
use crate::validate::Fields;
use crate::visit::Visit;

/// Folder of the first administrator in a storage template.
const STORAGE_LABEL: &str = "admin";

/// Who the first administrator is.
#[derive(ToSchema)]
pub(crate) struct SignUpDto {
    #[schema(format = Email)]
    email: String,
    password: String,
    name: String,
}

impl SignUpDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            email: fields.required_email("email"),
            password: fields.required_string("password"),
            name: fields.required_string("name"),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// Makes the first account, which administers the server.
#[utoipa::path(
    post,
    path = "/auth/admin-sign-up",
    operation_id = "signUpAdmin",
    tag = "Authentication",
    security(()),
    request_body = SignUpDto,
    responses((status = 201, body = UserAdminResponseDto)),
)]
pub(super) async fn sign_up_admin(
    State(api): State<Api>,
    visit: Visit,
    body: Bytes,
) -> Result<(StatusCode, Json<UserAdminResponseDto>), Problem> {
    let dto = SignUpDto::parse(&body)?;
    if !api.config.allow_setup {
        return Err(Problem::bad_request("Admin setup is not available"));
    }
    // The reservation decides; this only saves the hashing.
    if api.queries.has_admin().await? {
        return Err(Problem::bad_request("The server already has an admin"));
    }
    let hash = password::hash(dto.password).await.ok_or_else(Problem::unavailable)?;
    let registered = UserRegistered {
        avatar_color: avatar::of_email(&dto.email),
        profile: Profile { email: dto.email.clone(), name: dto.name }.into(),
        password_hash: hash.into(),
        is_admin: true,
        should_change_password: true,
        storage_label: Some(STORAGE_LABEL.to_owned()).into(),
        quota_size_bytes: None,
    };
    let ctx = visit.context(&api);
    let (user_id, outcome) = api.commands.register_user(&ctx, &dto.email, registered, true).await?;
    api.made(&outcome).await?;
    Ok((StatusCode::CREATED, Json(UserAdminResponseDto::load(&api, user_id.uuid()).await?)))
}
