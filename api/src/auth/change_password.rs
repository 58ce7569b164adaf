//! `POST /auth/change-password`: a new password for the caller.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_commands::password;
use calotype_domain::permission::Permission;
use calotype_domain::user::ProfileChange;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::sessions::close;
use crate::state::Api;
use crate::users::dto::UserAdminResponseDto;
use crate::validate::Fields;

/// The shortest new password, in characters.
const PASSWORD_CHARS_MIN: usize = 8;

/// The old password and the new one.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct ChangePasswordDto {
    password: String,
    #[schema(min_length = 8)]
    new_password: String,
    /// Whether to log out everywhere else.
    #[schema(value_type = Option<bool>, default = false)]
    invalidate_sessions: bool,
}

impl ChangePasswordDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            password: fields.required_string("password"),
            new_password: fields.required_string_of("newPassword", PASSWORD_CHARS_MIN),
            invalidate_sessions: fields.boolean("invalidateSessions").unwrap_or_default(),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// Sets a new password for who knows the old one.
#[utoipa::path(
    post,
    path = "/auth/change-password",
    operation_id = "changePassword",
    tag = "Authentication",
    request_body = ChangePasswordDto,
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn change_password(
    State(api): State<Api>,
    caller: Caller,
    Ok(peer): Result<Peer, std::convert::Infallible>,
    body: Bytes,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require(Permission::AuthChangePassword)?;
    let dto = ChangePasswordDto::parse(&body)?;
    let attempt = api.logins.begin(peer.address, &caller.user().email)?;
    let user = api.queries.user(caller.user_id().uuid()).await?;
    let hash = user.and_then(|user| user.password_hash);
    let is_right = password::verify(dto.password, hash).await;
    attempt.end(is_right)?;
    if !is_right {
        return Err(Problem::bad_request("Wrong password"));
    }
    let hash = password::hash(dto.new_password).await.ok_or_else(Problem::unavailable)?;
    let change = ProfileChange {
        password_hash: Some(hash),
        should_change_password: Some(false),
        ..ProfileChange::default()
    };
    let outcome = api.commands.change_user(&caller.context(), caller.user_id(), change).await?;
    if dto.invalidate_sessions {
        close::all_others(&api, &caller).await?;
    }
    api.surely_seen(&outcome).await?;
    Ok(Json(UserAdminResponseDto::load(&api, caller.user_id().uuid()).await?))
}
