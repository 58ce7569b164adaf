//! One log line and one measurement per request, and the correlation id that ties them to its events.
//!
//! The line names the route's template, never the path or the query: those hold ids and tokens.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::state::Api;
use crate::trace::Trace;

/// Names the request in every error answer.
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// The layer.
pub(crate) async fn observe(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let trace = Trace::new(api.commands.ids().v7());
    request.extensions_mut().insert(trace.clone());
    let method = known_method(request.method());
    // What may have changed something can be taken back by this id.
    let may_change = !request.method().is_safe();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("api.request", correlation.id = %trace.correlation_id());
    let mut response = next.run(request).instrument(span).await;

    let status = response.status();
    if (may_change || status.is_client_error() || status.is_server_error())
        && let Ok(value) = HeaderValue::from_str(&trace.correlation_id().to_string())
    {
        response.headers_mut().insert(CORRELATION_ID, value);
    }
    let took = begun.elapsed();
    let labels = [
        ("method", method.to_owned()),
        ("route", route.clone()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels).record(took.as_secs_f64());
    tracing::info!(
        http.method = method,
        http.route = route,
        http.status = status.as_u16(),
        user.id = trace.user_id().map(tracing::field::display),
        correlation.id = %trace.correlation_id(),
        duration_ms = took.as_secs_f64() * 1_000.0,
        "request"
    );
    response
}

/// Clients may invent methods; measurements keep to those that exist.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
