//! Headers that keep browsers from doing more with an answer than it is for.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// What a page may load when it says nothing stricter itself; the page of the API's document needs styles
/// in its elements.
const PAGE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// What somebody's picture or sidecar may do when it is opened as a page: an SVG may hold scripts, and it comes from
/// where the reader is logged in. Its own styles are part of the picture.
const FILE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The layer.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let policy = headers.get(header::CONTENT_TYPE).and_then(|kind| policy_of(kind.as_bytes()));
    if let Some(policy) = policy
        && !headers.contains_key(header::CONTENT_SECURITY_POLICY)
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    response
}

fn policy_of(kind: &[u8]) -> Option<&'static str> {
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if kind.eq_ignore_ascii_case(b"text/html") {
        return Some(PAGE_POLICY);
    }
    // application/xml, text/xml, image/svg+xml and image/svg, as Immich calls it.
    let kind = kind.to_ascii_lowercase();
    (kind.ends_with(b"xml") || kind == b"image/svg").then_some(FILE_POLICY)
}
