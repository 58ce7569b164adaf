//! Tag `Authentication`: getting in and out.

mod admin_sign_up;
mod change_password;
mod cookies;
mod login;
mod logout;
pub(crate) mod pin;
mod pin_code;
mod session_lock;
mod status;
mod validate_access_token;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::router::PUBLIC_BODY_BYTES_MAX;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(admin_sign_up::sign_up_admin))
        .routes(routes!(login::login))
        .layer(DefaultBodyLimit::max(PUBLIC_BODY_BYTES_MAX))
        .routes(routes!(change_password::change_password))
        .routes(routes!(logout::logout))
        .routes(routes!(
            pin_code::setup_pin_code,
            pin_code::change_pin_code,
            pin_code::reset_pin_code
        ))
        .routes(routes!(session_lock::lock_auth_session))
        .routes(routes!(session_lock::unlock_auth_session))
        .routes(routes!(status::get_auth_status))
        .routes(routes!(validate_access_token::validate_access_token))
}
