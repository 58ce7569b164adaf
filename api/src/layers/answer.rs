//! Finishes answers: errors that are no JSON become Immich's error body, JSON gets its character set and a
//! strong entity tag, and a client that holds the answer hears 304.

use axum::Json;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::etag;

/// The largest JSON answer that gets a tag; larger ones are sent as they are.
const TAGGED_BYTES_MAX: u64 = 16 << 20;
/// The longest text of an error that is turned into JSON.
const ERROR_TEXT_BYTES_MAX: usize = 64 << 10;

/// The layer.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let is_api = request.uri().path().starts_with("/api/");
    let asked: HeaderMap = [header::IF_NONE_MATCH, header::CACHE_CONTROL]
        .into_iter()
        .filter_map(|name| Some((name.clone(), request.headers().get(name)?.clone())))
        .collect();
    let mut response = next.run(request).await;
    if is_api {
        response = error_as_json(response).await;
    }
    tagged(&method, &asked, response).await
}

/// Extractors of the framework refuse in plain text.
async fn error_as_json(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || media_type(&response) != Some("text/plain") {
        return response;
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return (status, Json(json!({ "message": "request entity too large" }))).into_response();
    }
    let text = to_bytes(response.into_body(), ERROR_TEXT_BYTES_MAX).await.unwrap_or_default();
    let message = String::from_utf8_lossy(&text);
    (status, Json(json!({ "message": message }))).into_response()
}

async fn tagged(method: &Method, asked: &HeaderMap, mut response: Response) -> Response {
    if media_type(&response) != Some("application/json") {
        return response;
    }
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let fits = response.body().size_hint().exact().is_some_and(|size| size <= TAGGED_BYTES_MAX);
    if !fits || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = etag::tag(&bytes);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    // A HEAD answer still has its body here; it goes when the answer leaves.
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && parts.status.is_success() && etag::is_held(asked, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn media_type(response: &Response) -> Option<&str> {
    let value = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}
