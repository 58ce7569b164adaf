//! `POST /admin/users`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::password;
use calotype_domain::permission::Permission;
use calotype_domain::user::{AvatarColor, PinWish, Profile, UserCommand, UserRegistered};
use utoipa::ToSchema;

use super::fields::{quota, storage_label};
use crate::auth::pin;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::avatar;
use crate::users::dto::UserAdminResponseDto;
use crate::validate::Fields;

/// A new account. No mail is sent, so `notify` is ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UserAdminCreateDto {
    #[schema(format = Email)]
    email: String,
    password: String,
    name: String,
    #[schema(value_type = Option<String>)]
    avatar_color: Option<AvatarColor>,
    storage_label: Option<String>,
    /// In bytes; `null` for no limit.
    quota_size_in_bytes: Option<u64>,
    #[schema(value_type = Option<bool>)]
    should_change_password: bool,
    #[schema(value_type = Option<bool>)]
    is_admin: bool,
    #[expect(dead_code, reason = "no mail is sent")]
    notify: Option<bool>,
    #[schema(pattern = "^\\d{6}$")]
    pin_code: Option<String>,
}

impl UserAdminCreateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            email: fields.required_email("email"),
            password: fields.required_string("password"),
            name: fields.required_string("name"),
            avatar_color: avatar::field(&mut fields, "avatarColor").flatten(),
            storage_label: storage_label(&mut fields).flatten(),
            quota_size_in_bytes: quota(&mut fields).flatten(),
            should_change_password: fields.boolean("shouldChangePassword").unwrap_or(true),
            is_admin: fields.boolean("isAdmin").unwrap_or_default(),
            notify: fields.boolean("notify"),
            pin_code: if fields.is_null("pinCode") {
                None
            } else {
                pin::field(&mut fields, "pinCode")
            },
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// Makes an account.
#[utoipa::path(
    post,
    path = "/admin/users",
    operation_id = "createUserAdmin",
    tag = "Users (admin)",
    request_body = UserAdminCreateDto,
    responses((status = 201, body = UserAdminResponseDto)),
)]
pub(super) async fn create_user_admin(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<UserAdminResponseDto>), Problem> {
    caller.require_admin(Permission::AdminUserCreate)?;
    let dto = UserAdminCreateDto::parse(&body)?;
    let hash = password::hash(dto.password).await.ok_or_else(Problem::unavailable)?;
    let registered = UserRegistered {
        avatar_color: dto.avatar_color.unwrap_or_else(|| avatar::of_email(&dto.email)),
        profile: Profile { email: dto.email.clone(), name: dto.name }.into(),
        password_hash: hash.into(),
        is_admin: dto.is_admin,
        should_change_password: dto.should_change_password,
        storage_label: dto.storage_label.into(),
        quota_size_bytes: dto.quota_size_in_bytes,
    };
    let pin_hash = match dto.pin_code {
        Some(pin_code) => Some(pin::hash(pin_code).await?),
        None => None,
    };
    let (user_id, mut outcome) =
        api.commands.register_user(&caller.context(), &dto.email, registered, false).await?;
    if let Some(pin_hash) = pin_hash {
        let wish = UserCommand::Pin(PinWish::SetUp { pin_hash });
        outcome = api.commands.user(&caller.next_context(&api), user_id, wish).await?;
    }
    api.made(&outcome).await?;
    Ok((StatusCode::CREATED, Json(UserAdminResponseDto::load(&api, user_id.uuid()).await?)))
}
