//! Tags `Config (admin)`, `Config (user)` and `Config (public)`, of release 3.2: the configuration as
//! administrators, people and everybody see it. The whole of it is `/system-config` in 3.1.
//!
//! The catalogue of permissions of 3.1 has none for these: keys need those of `/system-config`, or `all`.

mod admin;
mod view;
mod whole;

use axum::Json;
use axum::extract::State;
use calotype_domain::config::SETTINGS;
use calotype_domain::permission::Permission;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use view::{PublicConfigDto, UserConfigDto};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(admin::get_admin_config, admin::update_admin_config))
        .routes(routes!(admin::get_admin_config_defaults))
        .routes(routes!(get_user_config))
        .routes(routes!(get_user_config_defaults))
        .routes(routes!(get_public_config))
        .routes(routes!(get_public_config_defaults))
}

/// What of the configuration people see who are logged in.
#[utoipa::path(
    get, path = "/config", operation_id = "getUserConfig", tag = "Config (user)",
    responses((status = 200, body = UserConfigDto))
)]
async fn get_user_config(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<UserConfigDto>, Problem> {
    caller.require(Permission::All)?;
    Ok(Json(UserConfigDto::of(api.queries.settings().await?.document())))
}

/// The same as it is when nobody says otherwise.
#[utoipa::path(
    get, path = "/config/defaults", operation_id = "getUserConfigDefaults", tag = "Config (user)",
    responses((status = 200, body = UserConfigDto))
)]
async fn get_user_config_defaults(caller: Caller) -> Result<Json<UserConfigDto>, Problem> {
    caller.require(Permission::All)?;
    Ok(Json(UserConfigDto::of(&SETTINGS.defaults())))
}

/// What of the configuration everybody sees.
#[utoipa::path(
    get, path = "/public/config", operation_id = "getPublicConfig", tag = "Config (public)",
    security(()), responses((status = 200, body = PublicConfigDto))
)]
async fn get_public_config(State(api): State<Api>) -> Result<Json<PublicConfigDto>, Problem> {
    Ok(Json(PublicConfigDto::of(api.queries.settings().await?.document())))
}

/// The same as it is when nobody says otherwise.
#[utoipa::path(
    get, path = "/public/config/defaults", operation_id = "getPublicConfigDefaults",
    tag = "Config (public)", security(()), responses((status = 200, body = PublicConfigDto))
)]
async fn get_public_config_defaults() -> Json<PublicConfigDto> {
    Json(PublicConfigDto::of(&SETTINGS.defaults()))
}
