//! `PUT /admin/users/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_commands::password;
use calotype_domain::UserId;
use calotype_domain::permission::Permission;
use calotype_domain::user::{AvatarColor, PinWish, ProfileChange, UserCommand};
use utoipa::ToSchema;

use super::fields::{quota, storage_label};
use super::load_active;
use crate::auth::pin;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::UserAdminResponseDto;
use crate::users::{avatar, taken};
use crate::validate::{Fields, path_uuid};

/// What changes about an account.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UserAdminUpdateDto {
    #[schema(format = Email)]
    email: Option<String>,
    password: Option<String>,
    name: Option<String>,
    #[schema(value_type = Option<String>, nullable)]
    avatar_color: Option<Option<AvatarColor>>,
    #[schema(value_type = Option<String>, nullable)]
    storage_label: Option<Option<String>>,
    should_change_password: Option<bool>,
    /// In bytes; `null` for no limit.
    #[schema(value_type = Option<u64>, nullable)]
    quota_size_in_bytes: Option<Option<u64>>,
    is_admin: Option<bool>,
    /// `null` removes the PIN. A new one or none: every session of the person is locked.
    #[schema(value_type = Option<String>, nullable, pattern = "^\\d{6}$")]
    pin_code: Option<Option<String>>,
}

impl UserAdminUpdateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            email: fields.email("email"),
            password: fields.string("password"),
            name: fields.string("name"),
            avatar_color: avatar::field(&mut fields, "avatarColor"),
            storage_label: storage_label(&mut fields),
            should_change_password: fields.boolean("shouldChangePassword"),
            quota_size_in_bytes: quota(&mut fields),
            is_admin: fields.boolean("isAdmin"),
            pin_code: if fields.is_null("pinCode") {
                Some(None)
            } else {
                pin::field(&mut fields, "pinCode").map(Some)
            },
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// Changes an account.
#[utoipa::path(
    put,
    path = "/admin/users/{id}",
    operation_id = "updateUserAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path)),
    request_body = UserAdminUpdateDto,
    responses((status = 200, body = UserAdminResponseDto)),
)]
pub(super) async fn update_user_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<UserAdminResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserUpdate)?;
    path_uuid("id", &id)?;
    let dto = UserAdminUpdateDto::parse(&body)?;
    let row = load_active(&api, &id).await?;
    let is_self = caller.user_id().uuid() == row.user_id;
    if is_self && dto.is_admin.is_some_and(|wish| wish != row.is_admin) {
        return Err(Problem::bad_request("Admin status can only be changed by another admin"));
    }
    let hash = match dto.password {
        Some(wish) => Some(password::hash(wish).await.ok_or_else(Problem::unavailable)?),
        None => None,
    };
    let change = ProfileChange {
        avatar_color: dto.avatar_color.map(|wish| {
            wish.unwrap_or_else(|| avatar::of_email(dto.email.as_ref().unwrap_or(&row.email)))
        }),
        email: dto.email,
        name: dto.name,
        password_hash: hash,
        should_change_password: dto.should_change_password,
        is_admin: dto.is_admin,
        storage_label: dto.storage_label,
        quota_size_bytes: dto.quota_size_in_bytes,
    };
    let user_id = UserId::new(row.user_id);
    let outcome = api
        .commands
        .change_user(&caller.context(), user_id, change)
        .await
        .map_err(taken::refused)?;
    api.surely_seen(&outcome).await?;
    if let Some(pin_code) = dto.pin_code {
        let wish = match pin_code {
            Some(pin_code) => PinWish::Overrule { pin_hash: pin::hash(pin_code).await? },
            None => PinWish::Remove,
        };
        let wish = UserCommand::Pin(wish);
        let outcome = api.commands.user(&caller.next_context(&api), user_id, wish).await?;
        api.surely_seen(&outcome).await?;
    }
    Ok(Json(UserAdminResponseDto::load(&api, row.user_id).await?))
}
