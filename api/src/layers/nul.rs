//! Refuses addresses with U+0000: no text that is kept has it, and the database takes none.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;

/// The layer.
pub(crate) async fn refuse_nul(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().contains("%00") || uri.query().is_some_and(|query| query.contains("%00")) {
        return Problem::bad_request("The address must not contain the character U+0000")
            .into_response();
    }
    next.run(request).await
}
