//! `POST /calotype/uploads/{id}` with `X-HTTP-Method-Override`: for clients that have no other methods.

use axum::extract::{Path, Request, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse as _, Response};

use super::tus::Spoken;
use super::{append_upload, look_at_upload, remove_upload};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// The method that is meant.
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// Does what another method would, for clients that have none but `POST`.
#[utoipa::path(
    post, path = "/calotype/uploads/{id}", tag = "Calotype", operation_id = "overrideUploadMethod",
    params(
        ("id" = Uuid, Path),
        ("tus-resumable" = String, Header, description = "1.0.0"),
        ("x-http-method-override" = String, Header, description = "PATCH, HEAD or DELETE")
    ),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "As the method that is meant"))
)]
pub(super) async fn override_upload_method(
    State(api): State<Api>,
    caller: Caller,
    _: Spoken,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let meant = request.headers().get(OVERRIDE).and_then(|value| value.to_str().ok());
    match meant.unwrap_or_default().to_ascii_uppercase().as_str() {
        "PATCH" => append_upload::append(&api, &caller, &id, request).await,
        "HEAD" => look_at_upload::head(&api, &caller, &id).await,
        "DELETE" => {
            remove_upload::remove(&api, &caller, &id).await.map(|status| status.into_response())
        }
        _ => Err(Problem::bad_request("X-HTTP-Method-Override must be PATCH, HEAD or DELETE")),
    }
}
