//! A finished answer over HTTP: 304 when the client has it, compressed when the client takes that.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::cache::Finished;
use crate::files::matches_any;
use crate::problem::Problem;

/// Shorter answers are sent as they are.
const GZIP_BYTES_MIN: usize = 1_024;

/// Answers with finished bytes.
///
/// # Errors
/// 500 when the bytes cannot be compressed.
pub(super) async fn answer(
    finished: &Arc<Finished>,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let etag = HeaderValue::from_str(&finished.etag).map_err(|error| Problem::internal(&error))?;
    headers.insert(header::ETAG, etag);
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let text = |name| request.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let anew = text(header::CACHE_CONTROL).is_some_and(|line| line.contains("no-cache"));
    if !anew && text(header::IF_NONE_MATCH).is_some_and(|line| matches_any(line, &finished.etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let bytes = if finished.plain.len() >= GZIP_BYTES_MIN && takes_gzip(request) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        finished.gzip().await?
    } else {
        finished.plain.clone()
    };
    *response.body_mut() = Body::from(bytes);
    Ok(response)
}

/// Whether the client names gzip and does not forbid it.
pub(crate) fn takes_gzip(request: &HeaderMap) -> bool {
    request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|word| {
            let mut parts = word.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_only_where_it_is_named() {
        let asking = |value| {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            takes_gzip(&headers)
        };
        assert!(asking("gzip, deflate, br"));
        assert!(asking("br;q=1.0, GZIP;q=0.8"));
        assert!(!asking("gzip;q=0, br"));
        assert!(!asking("identity"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
