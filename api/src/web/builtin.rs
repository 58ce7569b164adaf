//! The own pages, built into the program: the first page and the explorer.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use include_dir::{Dir, include_dir};
use sha1::{Digest as _, Sha1};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../web");

/// By path: media type and entity tag. Files of unknown types are not served, and pages not as files.
static SERVED: LazyLock<HashMap<&'static str, (&'static str, String)>> = LazyLock::new(|| {
    let mut served = HashMap::new();
    let mut folders = vec![&FILES];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            let path = file.path().to_str().unwrap_or_default();
            if let Some(media_type) = media_type(path) {
                let digest = STANDARD_NO_PAD.encode(Sha1::digest(file.contents()));
                served.insert(path, (media_type, format!("\"{digest}\"")));
            }
        }
    }
    served
});

/// A file beside the page, unless the path names none.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let path = path.trim_start_matches('/');
    let path = if path == "favicon.ico" { "favicon.svg" } else { path };
    let (media_type, tag) = SERVED.get(path)?;
    let held =
        headers.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes());
    let caching = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    if held {
        return Some((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let contents = FILES.get_file(path)?.contents();
    Some((caching, [(header::CONTENT_TYPE, *media_type)], Body::from(contents)).into_response())
}

/// The first page.
pub(super) fn index() -> Option<&'static str> {
    FILES.get_file("index.html")?.contents_utf8()
}

/// The explorer.
pub(super) fn explorer() -> Option<&'static str> {
    FILES.get_file("calotype.html")?.contents_utf8()
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_their_files_are_there() {
        assert!(index().is_some_and(|html| html.contains("</head>")));
        assert!(explorer().is_some_and(|html| html.contains("</head>")));
        for path in ["/app.js", "/style.css", "/favicon.svg", "/favicon.ico", "/js/api.js"] {
            assert!(file(path, &HeaderMap::new()).is_some(), "{path}");
        }
    }

    #[test]
    fn nothing_else_is_served() {
        for path in ["/", "/README.md", "/index.html", "/calotype.html", "/../Cargo.toml", "/js"] {
            assert!(file(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }

    #[test]
    fn file_that_is_held_is_not_sent_again() {
        let sent = file("/app.js", &HeaderMap::new()).unwrap();
        let tag = sent.headers().get(header::ETAG).unwrap().clone();
        let again = file("/app.js", &HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)])).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }
}
