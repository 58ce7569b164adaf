//! Tag `System metadata`: the administrators' first steps, and what the server knows of places and versions.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::config::ConfigCommand;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::server::version::VersionCheckStateResponseDto;
use crate::state::Api;
use crate::validate::Fields;

/// Whether an administrator went through the first steps.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminOnboardingUpdateDto {
    is_onboarded: bool,
}

/// Which list of places is used, and since when.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReverseGeocodingStateResponseDto {
    #[schema(required)]
    last_import_file_name: Option<String>,
    #[schema(required)]
    last_update: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_admin_onboarding, update_admin_onboarding))
        .routes(routes!(get_reverse_geocoding_state))
        .routes(routes!(get_version_check_state))
}

/// Says whether an administrator went through the first steps.
#[utoipa::path(
    get,
    path = "/system-metadata/admin-onboarding",
    operation_id = "getAdminOnboarding",
    tag = "System metadata",
    responses((status = 200, body = AdminOnboardingUpdateDto)),
)]
async fn get_admin_onboarding(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<AdminOnboardingUpdateDto>, Problem> {
    caller.require_admin(Permission::SystemMetadataRead)?;
    let is_onboarded = api.queries.settings().await?.is_onboarded;
    Ok(Json(AdminOnboardingUpdateDto { is_onboarded }))
}

/// Notes that an administrator went through the first steps, or did not.
#[utoipa::path(
    post,
    path = "/system-metadata/admin-onboarding",
    operation_id = "updateAdminOnboarding",
    tag = "System metadata",
    request_body = AdminOnboardingUpdateDto,
    responses((status = 204)),
)]
async fn update_admin_onboarding(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::SystemMetadataUpdate)?;
    let mut fields = Fields::json(&body)?;
    let is_onboarded = fields.required_boolean("isOnboarded");
    fields.finish()?;
    let command = ConfigCommand::SetOnboarded(is_onboarded);
    let outcome = api.commands.configure(&caller.context(), &command).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Says which file names places, and since when it is there; nothing where none is installed.
#[utoipa::path(
    get,
    path = "/system-metadata/reverse-geocoding-state",
    operation_id = "getReverseGeocodingState",
    tag = "System metadata",
    responses((status = 200, body = ReverseGeocodingStateResponseDto)),
)]
async fn get_reverse_geocoding_state(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<ReverseGeocodingStateResponseDto>, Problem> {
    caller.require_admin(Permission::SystemMetadataRead)?;
    let places = api.gazetteer.as_ref();
    let file_name = places.and_then(|places| places.file_name()).map(str::to_owned);
    let installed_at = places.and_then(|places| places.installed_at());
    Ok(Json(ReverseGeocodingStateResponseDto {
        last_import_file_name: file_name,
        last_update: installed_at.map(|at| dates::iso(at.into())),
    }))
}

/// Says that nobody looked for newer versions.
#[utoipa::path(
    get,
    path = "/system-metadata/version-check-state",
    operation_id = "getVersionCheckState",
    tag = "System metadata",
    responses((status = 200, body = VersionCheckStateResponseDto)),
)]
async fn get_version_check_state(
    caller: Caller,
) -> Result<Json<VersionCheckStateResponseDto>, Problem> {
    caller.require_admin(Permission::SystemMetadataRead)?;
    Ok(Json(VersionCheckStateResponseDto::default()))
}
