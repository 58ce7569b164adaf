//! A single-page client from a folder on disk.

use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

/// The largest index page read.
const INDEX_BYTES_MAX: u64 = 4 << 20;
/// Where builds put files whose names change with their contents.
const IMMUTABLE: &str = "/_app/immutable/";

/// A file of the folder, unless the path names none; never one outside of it.
pub(super) async fn file(folder: &Path, request: Request) -> Option<Response> {
    let path = request.uri().path().to_owned();
    if path == "/" || path == "/index.html" {
        return None;
    }
    let files = ServeDir::new(folder).append_index_html_on_directories(false);
    let mut response = files.oneshot(request).await.ok()?.map(Body::new);
    if response.status() == StatusCode::NOT_FOUND {
        return None;
    }
    let caching = if path.starts_with(IMMUTABLE) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    Some(response)
}

/// The folder's page.
pub(super) async fn index(folder: &Path) -> Option<String> {
    let path = folder.join("index.html");
    let size_bytes = tokio::fs::metadata(&path).await.ok()?.len();
    if size_bytes > INDEX_BYTES_MAX {
        tracing::warn!(size_bytes, "index.html of the web folder is too large to serve");
        return None;
    }
    tokio::fs::read_to_string(path).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(folder: &Path, path: &str) -> Option<StatusCode> {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        file(folder, request).await.map(|response| response.status())
    }

    #[tokio::test]
    async fn files_are_served_and_nothing_outside() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
        assert_eq!(status(&root, "/app.js").await, Some(StatusCode::OK));
        assert_eq!(status(&root, "/").await, None);
        assert_eq!(status(&root, "/nothing.js").await, None);
        assert_eq!(status(&root, "/..%2fCargo.toml").await, None);
        assert_eq!(status(&root, "/../Cargo.toml").await, None);
    }
}
