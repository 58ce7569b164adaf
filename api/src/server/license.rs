//! `/server/license`, and what both kinds of product keys have in common.
//!
//! A key must look like one; whether it was bought cannot be checked here, because the seller's public
//! keys are not ours to check with.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::config::ConfigCommand;
use calotype_domain::license::License;
use calotype_domain::permission::Permission;
use calotype_projections::config::EnteredLicense;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What a key looks like.
const KEY_PATTERN: &str = r"^IM(SV|CL)(-[\dA-Za-z]{4}){8}$";

/// A product key.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct LicenseKeyDto {
    activation_key: String,
    #[schema(pattern = r"^IM(SV|CL)(-[\dA-Za-z]{4}){8}$")]
    license_key: String,
}

/// A product key and when it was entered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserLicense)]
pub(crate) struct LicenseResponseDto {
    #[schema(format = DateTime)]
    activated_at: String,
    activation_key: String,
    #[schema(pattern = r"^IM(SV|CL)(-[\dA-Za-z]{4}){8}$")]
    license_key: String,
}

impl From<EnteredLicense> for LicenseResponseDto {
    fn from(license: EnteredLicense) -> Self {
        Self {
            activated_at: dates::iso(license.activated_at),
            activation_key: license.activation_key,
            license_key: license.license_key,
        }
    }
}

/// The key of a body.
///
/// # Errors
/// 400 in Zod's words.
pub(crate) fn parse(body: &Bytes) -> Result<License, Problem> {
    let mut fields = Fields::json(body)?;
    let license = License {
        license_key: fields.required_string("licenseKey"),
        activation_key: fields.required_string("activationKey"),
    };
    let is_text = fields.take("licenseKey").is_some_and(|key| key.is_string());
    if is_text && license.licensee().is_none() {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "regex",
            "pattern": format!("/{KEY_PATTERN}/"), "path": ["licenseKey"],
            "message": format!("Invalid string: must match pattern /{KEY_PATTERN}/")
        }));
    }
    fields.finish()?;
    Ok(license)
}

/// 404 `Not Found`: there is no key.
pub(crate) fn no_key() -> Problem {
    Problem::not_found("Not Found")
}

/// The server's product key.
#[utoipa::path(
    get,
    path = "/server/license",
    operation_id = "getServerLicense",
    tag = "Server",
    responses((status = 200, body = LicenseResponseDto), (status = 404)),
)]
pub(super) async fn get_server_license(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<LicenseResponseDto>, Problem> {
    caller.require_admin(Permission::ServerLicenseRead)?;
    let license = api.queries.settings().await?.license.clone().ok_or_else(no_key)?;
    Ok(Json(license.into()))
}

/// Enters the server's product key.
#[utoipa::path(
    put,
    path = "/server/license",
    operation_id = "setServerLicense",
    tag = "Server",
    request_body = LicenseKeyDto,
    responses((status = 200, body = LicenseResponseDto)),
)]
pub(super) async fn set_server_license(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<LicenseResponseDto>, Problem> {
    caller.require_admin(Permission::ServerLicenseUpdate)?;
    let command = ConfigCommand::EnterLicense(parse(&body)?);
    let outcome = api.commands.configure(&caller.context(), &command).await?;
    api.seen(&outcome).await;
    let license = api.queries.settings().await?.license.clone();
    Ok(Json(license.ok_or_else(Problem::unavailable)?.into()))
}

/// Takes the server's product key away.
#[utoipa::path(
    delete,
    path = "/server/license",
    operation_id = "deleteServerLicense",
    tag = "Server",
    responses((status = 204)),
)]
pub(super) async fn delete_server_license(
    State(api): State<Api>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::ServerLicenseDelete)?;
    let outcome = api.commands.configure(&caller.context(), &ConfigCommand::RemoveLicense).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
