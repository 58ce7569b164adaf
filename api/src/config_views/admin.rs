//! `GET` and `PUT /admin/config`, and `GET /admin/config/defaults`: `/system-config` under its name of 3.2.
//!
//! Beside what 3.1 has, `oauth.accountManagementUrl` is told, and empty: there is no OAuth.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::config::SETTINGS;
use calotype_domain::config::shape::at;
use calotype_domain::permission::Permission;
use serde_json::{Value, json};

use super::whole::{ACCOUNT_URL, AdminConfigDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::system_config::{change, given};

/// The configuration as it is.
#[utoipa::path(
    get, path = "/admin/config", operation_id = "getAdminConfig", tag = "Config (admin)",
    responses((status = 200, body = AdminConfigDto))
)]
pub(super) async fn get_admin_config(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<AdminConfigDto>, Problem> {
    caller.require_admin(Permission::SystemConfigRead)?;
    Ok(Json(AdminConfigDto::of(api.queries.settings().await?.document().clone())))
}

/// The configuration as it is when nobody says otherwise.
#[utoipa::path(
    get, path = "/admin/config/defaults", operation_id = "getAdminConfigDefaults",
    tag = "Config (admin)", responses((status = 200, body = AdminConfigDto))
)]
pub(super) async fn get_admin_config_defaults(
    caller: Caller,
) -> Result<Json<AdminConfigDto>, Problem> {
    caller.require_admin(Permission::SystemConfigRead)?;
    Ok(Json(AdminConfigDto::of(SETTINGS.defaults())))
}

/// Changes the configuration; what is given is all of it.
#[utoipa::path(
    put, path = "/admin/config", operation_id = "updateAdminConfig", tag = "Config (admin)",
    request_body = AdminConfigDto, responses((status = 200, body = AdminConfigDto))
)]
pub(super) async fn update_admin_config(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<AdminConfigDto>, Problem> {
    caller.require_admin(Permission::SystemConfigUpdate)?;
    let mut given = given(&body)?;
    if at(&given, ACCOUNT_URL).is_some_and(|url| *url != json!("")) {
        return Err(Problem::bad_request("OAuth is not available on this server"));
    }
    if let Some(Value::Object(oauth)) = given.get_mut("oauth") {
        oauth.remove("accountManagementUrl");
    }
    Ok(Json(AdminConfigDto::of(change(&api, &caller, given).await?)))
}
