//! `GET` and `PUT /users/me`: the caller's own account.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_commands::password;
use calotype_domain::permission::Permission;
use calotype_domain::user::{AvatarColor, ProfileChange};
use utoipa::ToSchema;

use super::dto::UserAdminResponseDto;
use super::licenses::license;
use super::{avatar, taken};
use crate::assets::sums::usage_bytes;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What a person may change about their account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UserUpdateMeDto {
    #[schema(format = Email)]
    email: Option<String>,
    #[schema(deprecated)]
    password: Option<String>,
    name: Option<String>,
    #[schema(value_type = Option<String>, nullable)]
    avatar_color: Option<Option<AvatarColor>>,
}

impl UserUpdateMeDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            email: fields.email("email"),
            password: fields.string("password"),
            name: fields.string("name"),
            avatar_color: avatar::field(&mut fields, "avatarColor"),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// The caller's account.
#[utoipa::path(
    get,
    path = "/users/me",
    operation_id = "getMyUser",
    tag = "Users",
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn get_my_user(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require(Permission::UserRead)?;
    let user_id = caller.user_id().uuid();
    let license = license(&api, user_id).await?;
    let usage_bytes = usage_bytes(&api, user_id).await?;
    Ok(Json(UserAdminResponseDto::new(caller.user().clone(), usage_bytes, license)))
}

/// Changes the caller's account.
#[utoipa::path(
    put,
    path = "/users/me",
    operation_id = "updateMyUser",
    tag = "Users",
    request_body = UserUpdateMeDto,
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn update_my_user(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require(Permission::UserUpdate)?;
    let dto = UserUpdateMeDto::parse(&body)?;
    let mut change = ProfileChange {
        avatar_color: dto.avatar_color.map(|wish| {
            let email = dto.email.as_deref().unwrap_or(&caller.user().email);
            wish.unwrap_or_else(|| avatar::of_email(email))
        }),
        email: dto.email,
        name: dto.name,
        ..ProfileChange::default()
    };
    if let Some(wish) = dto.password {
        let hash = password::hash(wish).await.ok_or_else(Problem::unavailable)?;
        change.password_hash = Some(hash);
        change.should_change_password = Some(false);
    }
    let outcome = api
        .commands
        .change_user(&caller.context(), caller.user_id(), change)
        .await
        .map_err(taken::refused)?;
    api.seen(&outcome).await;
    Ok(Json(UserAdminResponseDto::load(&api, caller.user_id().uuid()).await?))
}
