//! A finished answer: bytes that are kept, plain and compressed, with their entity tag; and how it is sent: 304
//! when the client has it, compressed when the client takes that.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::OnceCell;

use crate::files::matches_any;
use crate::problem::Problem;

/// Shorter answers are sent as they are.
const GZIP_BYTES_MIN: usize = 1_024;
/// How hard bytes are pressed: fast, they are made while somebody waits.
const GZIP_LEVEL: u32 = 1;

/// A finished answer.
pub(crate) struct Finished {
    /// The JSON.
    pub(crate) plain: Bytes,
    /// A strong entity tag, quotes included, made of the content.
    pub(crate) etag: String,
    gzip: OnceCell<Bytes>,
}

impl Finished {
    /// Of JSON.
    pub(crate) fn new(plain: Vec<u8>) -> Self {
        let digest = blake3::hash(&plain).to_hex();
        let etag = format!("\"{:x}-{}\"", plain.len(), digest.get(..27).unwrap_or_default());
        Self { plain: plain.into(), etag, gzip: OnceCell::new() }
    }

    /// Plain bytes, and a fifth of them for the compressed ones.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.plain.len() + self.plain.len() / 5
    }

    /// The compressed bytes, made when they are asked for first.
    ///
    /// # Errors
    /// 500 when they cannot be made.
    pub(crate) async fn gzip(self: &Arc<Self>) -> Result<Bytes, Problem> {
        let bytes = self
            .gzip
            .get_or_try_init(|| async {
                let plain = self.plain.clone();
                let pressed = tokio::task::spawn_blocking(move || press(&plain))
                    .await
                    .map_err(|error| Problem::internal(&error))?;
                pressed.map(Bytes::from).map_err(|error| Problem::internal(&error))
            })
            .await?;
        Ok(bytes.clone())
    }
}

fn press(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder =
        GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(GZIP_LEVEL));
    encoder.write_all(plain)?;
    encoder.finish()
}

/// Answers with finished bytes.
///
/// # Errors
/// 500 when the bytes cannot be compressed.
pub(crate) async fn answer(
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

    #[tokio::test]
    async fn compressed_bytes_hold_the_same() {
        use std::io::Read as _;
        let finished = Arc::new(Finished::new(b"[0]".repeat(700)));
        let pressed = finished.gzip().await.unwrap();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&pressed[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, finished.plain);
    }
}
