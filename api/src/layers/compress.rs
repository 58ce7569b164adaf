//! Which answers are worth compressing: text of some length. Pictures and films are compressed already.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use axum::middleware::Next;
use tower_http::compression::predicate::Predicate;

/// Shorter answers are sent as they are.
const COMPRESSED_BYTES_MIN: u64 = 1_024;

/// Text of some length, or of unknown length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text;

impl Predicate for Text {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let long =
            response.body().size_hint().exact().is_none_or(|size| size >= COMPRESSED_BYTES_MIN);
        long && is_text(response.headers())
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    media_type.starts_with("text/") && media_type != "text/event-stream"
        || matches!(
            media_type,
            "application/json"
                | "application/jsonlines+json"
                | "application/javascript"
                | "application/manifest+json"
                | "image/svg+xml"
        )
}

/// Says of every text that it depends on `Accept-Encoding`, compressed or not, as Express does.
pub(crate) async fn vary(request: Request, next: Next) -> axum::response::Response {
    let mut response = next.run(request).await;
    if is_text(response.headers()) {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn worth(content_type: &str, length: usize) -> bool {
        let response = Response::builder()
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(vec![b'x'; length]))
            .unwrap();
        Text.should_compress(&response)
    }

    #[test]
    fn long_text_is_compressed_and_nothing_else() {
        assert!(worth("application/json; charset=utf-8", 2_000));
        assert!(!worth("application/json; charset=utf-8", 100));
        assert!(!worth("image/jpeg", 2_000));
        assert!(!worth("application/octet-stream", 2_000));
    }
}
