//! `OPTIONS /calotype/uploads`: what of tus is spoken here.

use axum::response::Response;

use super::tus;
use crate::assets::receive::UPLOAD_BYTES_MAX;

/// Says which version of tus is spoken, and with which extensions. Needs no credentials.
#[utoipa::path(
    options, path = "/calotype/uploads", tag = "Calotype", operation_id = "getUploadOptions",
    responses((status = 204, description = "In the headers"))
)]
pub(super) async fn tus_options() -> Response {
    tus::abilities(UPLOAD_BYTES_MAX)
}
