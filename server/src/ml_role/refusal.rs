//! Why a request gets no answer, as Immich's service says it: a status and `{"detail": "…"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use calotype_media::decoder::DecodeError;
use calotype_ml::MlError;
use serde_json::json;

/// A status and a reason.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    detail: String,
}

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(super) fn bad_entries() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid request format.")
    }

    pub(super) fn nothing_to_look_at() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Either image or text must be provided")
    }

    pub(super) fn unreadable(reason: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large")
    }

    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "The request did not arrive in time")
    }

    pub(super) fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The service is stopping")
    }

    pub(super) fn unkept(error: &std::io::Error) -> Self {
        tracing::error!(%error, "a picture cannot be kept while it is looked at");
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "The picture cannot be kept")
    }
}

impl From<MlError> for Refusal {
    fn from(error: MlError) -> Self {
        let status = match &error {
            MlError::BadPixels { .. } => StatusCode::BAD_REQUEST,
            MlError::BadName { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            MlError::NotInstalled { .. } => StatusCode::NOT_FOUND,
            error if error.may_pass() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        // Folders of this machine are nobody's business elsewhere.
        let detail = match &error {
            MlError::NotInstalled { kind, name, .. } => {
                format!("model {name:?} for {kind} is not installed")
            }
            error if status.is_server_error() => {
                tracing::error!(error = error as &dyn std::error::Error, "no prediction");
                "The model cannot be run; the log tells why".to_owned()
            }
            error => error.to_string(),
        };
        Self { status, detail }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        let status = match error {
            DecodeError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "detail": self.detail }))).into_response()
    }
}
