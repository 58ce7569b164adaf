//! `GET /server/ping`.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// A sign of life.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerPingResponse {
    res: &'static str,
}

/// Answers.
#[utoipa::path(
    get,
    path = "/server/ping",
    operation_id = "pingServer",
    tag = "Server",
    security(()),
    responses((status = 200, body = ServerPingResponse)),
)]
pub(super) async fn ping_server() -> Json<ServerPingResponse> {
    Json(ServerPingResponse { res: "pong" })
}
