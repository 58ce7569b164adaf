//! Whoever cannot renew its lease may not know what was taken away: it answers nothing but how it is.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;
use crate::state::Api;

/// What is answered all the same, for the machines that watch.
const ALWAYS: [&str; 3] = ["/health", "/ready", "/metrics"];

/// The layer.
pub(crate) async fn leased(State(api): State<Api>, request: Request, next: Next) -> Response {
    let is_out = api.node.as_ref().is_some_and(|node| !node.holds_lease());
    if is_out && !ALWAYS.contains(&request.uri().path()) {
        return Problem::unavailable().into_response();
    }
    next.run(request).await
}
