//! `GET` and `PUT /system-config`, and `GET /system-config/defaults`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::config::{ConfigCommand, SETTINGS, shape};
use calotype_domain::permission::Permission;
use serde_json::Value;

use super::check::check;
use super::document::SystemConfigDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What cannot be switched on, because this server does not have it, and what it is called.
const MISSING: [(&str, &str); 2] =
    [("oauth.enabled", "OAuth"), ("notifications.smtp.enabled", "E-mail")];

/// What settings switch on although this server does not have it.
#[must_use]
pub fn wanted_but_missing(settings: &Value) -> Option<&'static str> {
    let is_on = |path| shape::at(settings, path) == Some(&Value::Bool(true));
    MISSING.into_iter().find(|(path, _)| is_on(path)).map(|(_, name)| name)
}

/// The configuration as it is.
#[utoipa::path(
    get,
    path = "/system-config",
    operation_id = "getConfig",
    tag = "System config",
    responses((status = 200, body = SystemConfigDto)),
)]
pub(super) async fn get_config(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<SystemConfigDto>, Problem> {
    caller.require_admin(Permission::SystemConfigRead)?;
    Ok(Json(SystemConfigDto(api.queries.settings().await?.document().clone())))
}

/// The configuration as it is when nobody says otherwise.
#[utoipa::path(
    get,
    path = "/system-config/defaults",
    operation_id = "getConfigDefaults",
    tag = "System config",
    responses((status = 200, body = SystemConfigDto)),
)]
pub(super) async fn get_config_defaults(caller: Caller) -> Result<Json<SystemConfigDto>, Problem> {
    caller.require_admin(Permission::SystemConfigRead)?;
    Ok(Json(SystemConfigDto(SETTINGS.defaults())))
}

/// Changes the configuration; what is given is all of it.
#[utoipa::path(
    put,
    path = "/system-config",
    operation_id = "updateConfig",
    tag = "System config",
    request_body = SystemConfigDto,
    responses((status = 200, body = SystemConfigDto)),
)]
pub(super) async fn update_config(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<SystemConfigDto>, Problem> {
    caller.require_admin(Permission::SystemConfigUpdate)?;
    Ok(Json(SystemConfigDto(change(&api, &caller, given(&body)?).await?)))
}

/// The document of a body; an empty one is an empty document.
///
/// # Errors
/// 400 for what is no JSON.
pub(crate) fn given(body: &Bytes) -> Result<Value, Problem> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(error.to_string()))
}

/// Lets the configuration be what is given, all of it; says what it is then.
///
/// # Errors
/// 400 for what is missing or cannot be, where a file says the settings, and what the command says.
pub(crate) async fn change(api: &Api, caller: &Caller, given: Value) -> Result<Value, Problem> {
    if api.queries.live_settings().is_fixed() {
        return Err(Problem::bad_request(
            "Cannot update configuration while IMMICH_CONFIG_FILE is in use",
        ));
    }
    let mut issues = Vec::new();
    let wish = check(&SETTINGS, Some(&given), &[], &mut issues);
    if !issues.is_empty() {
        return Err(Problem::validation(issues));
    }
    if let Some(name) = wanted_but_missing(&wish) {
        return Err(Problem::bad_request(format!("{name} is not available on this server")));
    }
    let command = ConfigCommand::Change(wish);
    let outcome = api.commands.configure(&caller.context(), &command).await?;
    api.seen(&outcome).await;
    Ok(api.queries.settings().await?.document().clone())
}
