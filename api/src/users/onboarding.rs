//! `/users/me/onboarding`: whether the person went through the first steps.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::user::UserCommand;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::not_found;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Whether they did.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct OnboardingDto {
    is_onboarded: bool,
}

/// Whether they did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnboardingResponseDto {
    is_onboarded: bool,
}

/// Says whether the caller went through the first steps.
#[utoipa::path(
    get,
    path = "/users/me/onboarding",
    operation_id = "getUserOnboarding",
    tag = "Users",
    responses((status = 200, body = OnboardingResponseDto)),
)]
pub(super) async fn get_user_onboarding(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<OnboardingResponseDto>, Problem> {
    caller.require(Permission::UserOnboardingRead)?;
    let row = api.queries.user(caller.user_id().uuid()).await?.ok_or_else(not_found)?;
    Ok(Json(OnboardingResponseDto { is_onboarded: row.is_onboarded }))
}

/// Notes that the caller went through the first steps, or did not.
#[utoipa::path(
    put,
    path = "/users/me/onboarding",
    operation_id = "setUserOnboarding",
    tag = "Users",
    request_body = OnboardingDto,
    responses((status = 200, body = OnboardingResponseDto)),
)]
pub(super) async fn set_user_onboarding(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<OnboardingResponseDto>, Problem> {
    caller.require(Permission::UserOnboardingUpdate)?;
    let mut fields = Fields::json(&body)?;
    let dto = OnboardingDto { is_onboarded: fields.required_boolean("isOnboarded") };
    fields.finish()?;
    set(&api, &caller, dto.is_onboarded).await?;
    Ok(Json(OnboardingResponseDto { is_onboarded: dto.is_onboarded }))
}

/// Lets the caller go through the first steps again.
#[utoipa::path(
    delete,
    path = "/users/me/onboarding",
    operation_id = "deleteUserOnboarding",
    tag = "Users",
    responses((status = 204)),
)]
pub(super) async fn delete_user_onboarding(
    State(api): State<Api>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::UserOnboardingDelete)?;
    set(&api, &caller, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(api: &Api, caller: &Caller, is_onboarded: bool) -> Result<(), Problem> {
    let wish = UserCommand::SetOnboarded(is_onboarded);
    let outcome = api.commands.user(&caller.context(), caller.user_id(), wish).await?;
    api.seen(&outcome).await;
    Ok(())
}
