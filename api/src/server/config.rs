//! `GET /server/config`: what clients need to know before anybody logs in.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::Api;

/// What clients need to know.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerConfigDto {
    login_page_message: String,
    trash_days: i64,
    user_delete_delay: i64,
    oauth_button_text: String,
    /// Whether there is an administrator.
    is_initialized: bool,
    is_onboarded: bool,
    external_domain: String,
    public_users: bool,
    map_dark_style_url: String,
    map_light_style_url: String,
    maintenance_mode: bool,
    min_faces: i64,
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
    let settings = api.queries.settings().await?;
    let text = |path: &str| settings.text(path).to_owned();
    Ok(Json(ServerConfigDto {
        login_page_message: text("server.loginPageMessage"),
        trash_days: settings.number("trash.days"),
        user_delete_delay: settings.number("user.deleteDelay"),
        oauth_button_text: text("oauth.buttonText"),
        is_initialized: api.queries.has_admin().await?,
        is_onboarded: settings.is_onboarded,
        external_domain: text("server.externalDomain"),
        public_users: settings.is_on("server.publicUsers"),
        map_dark_style_url: text("map.darkStyle"),
        map_light_style_url: text("map.lightStyle"),
        maintenance_mode: false,
        min_faces: settings.number("machineLearning.facialRecognition.minFaces"),
    }))
}
