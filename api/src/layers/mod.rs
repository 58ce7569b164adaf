//! What happens to every request and answer, whatever it is about.

mod answer;
mod compress;
mod etag;
mod headers;
mod lease;
mod nul;
mod observe;
mod patience;

pub(crate) use answer::finish;
pub(crate) use compress::{Text, vary};
pub(crate) use headers::protect;
pub(crate) use lease::leased;
pub(crate) use nul::refuse_nul;
pub(crate) use observe::observe;
pub(crate) use patience::end_slow_bodies;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

#[expect(clippy::needless_pass_by_value, reason = "tower-http hands the panic over so")]
/// What a client hears when a handler panicked; the text of the panic goes to the log.
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = text, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error").into_response()
}
