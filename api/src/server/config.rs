//! `GET /server/config`: what clients need to know before anybody logs in.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::Api;

/// Days in the trash before an asset is purged.
const TRASH_DAYS: u32 = 30;
/// Days before a deleted account is purged.
const USER_DELETE_DELAY_DAYS: u32 = 7;
/// Faces that make a person.
const FACES_MIN: u32 = 3;

/// What clients need to know.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerConfigDto {
    login_page_message: &'static str,
    trash_days: u32,
    user_delete_delay: u32,
    oauth_button_text: &'static str,
    /// Whether there is an administrator.
    is_initialized: bool,
    is_onboarded: bool,
    external_domain: String,
    public_users: bool,
    map_dark_style_url: &'static str,
    map_light_style_url: &'static str,
    maintenance_mode: bool,
    min_faces: u32,
}

/// Says what clients need to know.
#[utoipa::path(
    get,
    path = "/server/config",
    operation_id = "getServerConfig",
    tag = "Server",
    security(()),
    responses((status = 200, body = ServerConfigDto)),
)]
pub(super) async fn get_server_config(
    State(api): State<Api>,
) -> Result<Json<ServerConfigDto>, Problem> {
    Ok(Json(ServerConfigDto {
        login_page_message: "",
        trash_days: TRASH_DAYS,
        user_delete_delay: USER_DELETE_DELAY_DAYS,
        oauth_button_text: "Login with OAuth",
        is_initialized: api.queries.has_admin().await?,
        is_onboarded: false,
        external_domain: api.config.external_url.clone().unwrap_or_default(),
        public_users: true,
        map_dark_style_url: "https://tiles.immich.cloud/v1/style/dark.json",
        map_light_style_url: "https://tiles.immich.cloud/v1/style/light.json",
        maintenance_mode: false,
        min_faces: FACES_MIN,
    }))
}
