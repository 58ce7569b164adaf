//! `GET /server/features`: which parts of their pages clients show.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
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

/// What this server has, where administrators do not switch it off.
const FEATURES: ServerFeaturesDto = ServerFeaturesDto {
    smart_search: true,
    facial_recognition: true,
    duplicate_detection: true,
    map: true,
    reverse_geocoding: true,
    import_faces: true,
    sidecar: true,
    search: true,
    trash: true,
    oauth: false,
    oauth_auto_launch: false,
    ocr: true,
    password_login: true,
    config_file: false,
    email: false,
    realtime_transcoding: false,
};

/// Says which features are on: those that are here and that administrators have not switched off.
#[utoipa::path(
    get,
    path = "/server/features",
    operation_id = "getServerFeatures",
    tag = "Server",
    security(()),
    responses((status = 200, body = ServerFeaturesDto)),
)]
pub(super) async fn get_server_features(
    State(api): State<Api>,
) -> Result<Json<ServerFeaturesDto>, Problem> {
    let settings = api.queries.settings().await?;
    let (searches, reads) = match &api.embedder {
        Some(models) => (
            models.is_there(settings.text("machineLearning.clip.modelName")).await,
            models.can_read(settings.text("machineLearning.ocr.modelName")).await,
        ),
        None => (false, false),
    };
    let with_models =
        |path: &str| settings.is_on("machineLearning.enabled") && settings.is_on(path);
    Ok(Json(ServerFeaturesDto {
        smart_search: searches
            && FEATURES.smart_search
            && with_models("machineLearning.clip.enabled"),
        facial_recognition: FEATURES.facial_recognition && api.finds_faces(&settings).await,
        duplicate_detection: searches
            && FEATURES.duplicate_detection
            && with_models("machineLearning.duplicateDetection.enabled"),
        map: FEATURES.map && settings.is_on("map.enabled"),
        reverse_geocoding: api.gazetteer.is_some() && settings.is_on("reverseGeocoding.enabled"),
        import_faces: FEATURES.import_faces && settings.is_on("metadata.faces.import"),
        trash: FEATURES.trash && settings.is_on("trash.enabled"),
        ocr: reads && FEATURES.ocr && with_models("machineLearning.ocr.enabled"),
        password_login: settings.is_on("passwordLogin.enabled"),
        config_file: api.queries.live_settings().is_fixed(),
        realtime_transcoding: FEATURES.realtime_transcoding
            && settings.is_on("ffmpeg.realtime.enabled"),
        ..FEATURES
    }))
}
