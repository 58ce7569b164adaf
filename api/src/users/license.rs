//! `/users/me/license`: the caller's product key.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::user::UserCommand;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::server::license::{LicenseKeyDto, LicenseResponseDto, no_key, parse};
use crate::state::Api;

async fn entered(api: &Api, caller: &Caller) -> Result<Option<LicenseResponseDto>, Problem> {
    let user_id = caller.user_id().uuid();
    Ok(api.queries.licenses(&[user_id]).await?.remove(&user_id).map(LicenseResponseDto::from))
}

/// The caller's product key.
#[utoipa::path(
    get,
    path = "/users/me/license",
    operation_id = "getUserLicense",
    tag = "Users",
    responses((status = 200, body = LicenseResponseDto)),
)]
pub(super) async fn get_user_license(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<LicenseResponseDto>, Problem> {
    caller.require(Permission::UserLicenseRead)?;
    entered(&api, &caller).await?.map(Json).ok_or_else(no_key)
}

/// Enters a product key for the caller.
#[utoipa::path(
    put,
    path = "/users/me/license",
    operation_id = "setUserLicense",
    tag = "Users",
    request_body = LicenseKeyDto,
    responses((status = 200, body = LicenseResponseDto)),
)]
pub(super) async fn set_user_license(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<LicenseResponseDto>, Problem> {
    caller.require(Permission::UserLicenseUpdate)?;
    let wish = UserCommand::EnterLicense(parse(&body)?);
    let outcome = api.commands.user(&caller.context(), caller.user_id(), wish).await?;
    api.seen(&outcome).await;
    entered(&api, &caller).await?.map(Json).ok_or_else(Problem::unavailable)
}

/// Takes the caller's product key away.
#[utoipa::path(
    delete,
    path = "/users/me/license",
    operation_id = "deleteUserLicense",
    tag = "Users",
    responses((status = 204)),
)]
pub(super) async fn delete_user_license(
    State(api): State<Api>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::UserLicenseDelete)?;
    let wish = UserCommand::RemoveLicense;
    let outcome = api.commands.user(&caller.context(), caller.user_id(), wish).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
