//! `GET /server/media-types`: which files are taken, by extension.

use axum::Json;
use calotype_media::kind::media_types;
use serde::Serialize;
use utoipa::ToSchema;

/// Extensions with their dots.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerMediaTypesResponseDto {
    video: Vec<String>,
    image: Vec<String>,
    sidecar: Vec<String>,
}

/// Lists the extensions of files that can be uploaded.
#[utoipa::path(
    get,
    path = "/server/media-types",
    operation_id = "getSupportedMediaTypes",
    tag = "Server",
    security(()),
    responses((status = 200, body = ServerMediaTypesResponseDto)),
)]
pub(super) async fn get_supported_media_types() -> Json<ServerMediaTypesResponseDto> {
    let types = media_types();
    Json(ServerMediaTypesResponseDto {
        video: types.video,
        image: types.image,
        sidecar: types.sidecar,
    })
}
