//! `GET /server/features`: which parts of their pages clients show.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Api;

/// Which features are on. Immich's own server always says `true` for `search` and `sidecar`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the shape is Immich's")]
pub(crate) struct ServerFeaturesDto {
    smart_search: bool,
    facial_recognition: bool,
    duplicate_detection: bool,
    map: bool,
    reverse_geocoding: bool,
    import_faces: bool,
    sidecar: bool,
    search: bool,
    trash: bool,
    oauth: bool,
    oauth_auto_launch: bool,
    ocr: bool,
    password_login: bool,
    config_file: bool,
    email: bool,
    realtime_transcoding: bool,
}

/// What this server has when names of places are installed.
const FEATURES: ServerFeaturesDto = ServerFeaturesDto {
    smart_search: false,
    facial_recognition: false,
    duplicate_detection: false,
    map: true,
    reverse_geocoding: true,
    import_faces: false,
    sidecar: true,
    search: true,
    trash: true,
    oauth: false,
    oauth_auto_launch: false,
    ocr: false,
    password_login: true,
    config_file: false,
    email: false,
    realtime_transcoding: false,
};

/// Says which features are on.
#[utoipa::path(
    get,
    path = "/server/features",
    operation_id = "getServerFeatures",
    tag = "Server",
    security(()),
    responses((status = 200, body = ServerFeaturesDto)),
)]
pub(super) async fn get_server_features(State(api): State<Api>) -> Json<ServerFeaturesDto> {
    Json(ServerFeaturesDto { reverse_geocoding: api.gazetteer.is_some(), ..FEATURES })
}
